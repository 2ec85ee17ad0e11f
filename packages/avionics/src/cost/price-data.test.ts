import { calcPrice } from '@pydantic/genai-prices';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CostCalculator } from './calculator.ts';

vi.mock('@pydantic/genai-prices', async importActual => {
  const actual = await importActual<typeof import('@pydantic/genai-prices')>();
  return { ...actual, calcPrice: vi.fn(actual.calcPrice) };
});

const asked = vi.mocked(calcPrice);
const MINUTE = 60_000;

beforeEach(() => {
  asked.mockClear();
  vi.useFakeTimers({ now: new Date('2026-10-15T12:00:30Z'), toFake: ['Date'] });
});
afterEach(() => void vi.useRealTimers());

const million = (calculator: CostCalculator, provider: string, model: string) =>
  calculator.calculateCost(provider, model, 1_000_000, 0).costUsd;

describe('the data package', () => {
  it.each([
    ['openai', 'gpt-4o', 'has one price'],
    ['anthropic', 'claude-sonnet-4-5', 'is dearer for long prompts'],
    ['openai', 'gpt-5.6-luna', 'changes its price with time'],
    ['openai', 'gpt-99', 'nobody knows'],
  ])('is asked once for a thousand calls of %s %s, which %s', (provider, model) => {
    const calculator = new CostCalculator();
    for (let tokens = 0; tokens < 1_000_000; tokens += 1_000) {
      calculator.calculateCost(provider, model, tokens, tokens, { cachedTokens: tokens / 2 });
    }
    expect(asked).toHaveBeenCalledOnce();
  });

  it('is asked again in the next minute only where prices change with time', () => {
    const calculator = new CostCalculator();
    for (let minute = 0; minute < 3; minute++) {
      million(calculator, 'openai', 'gpt-4o');
      million(calculator, 'openai', 'gpt-5.6-luna');
      vi.setSystemTime(Date.now() + MINUTE);
    }
    expect(asked.mock.calls.map(([, model]) => model)).toEqual([
      'gpt-4o',
      'gpt-5.6-luna',
      'gpt-5.6-luna',
      'gpt-5.6-luna',
    ]);
  });

  it('changes a price to the minute', () => {
    const calculator = new CostCalculator();
    vi.setSystemTime('2026-12-31T23:59:59.999Z');
    expect(million(calculator, 'gemini', 'gemini-3.6-flash')).toBeCloseTo(0.75, 12);
    vi.setSystemTime('2027-01-01T00:00:00Z');
    expect(million(calculator, 'gemini', 'gemini-3.6-flash')).toBeCloseTo(1.5, 12);
  });

  it('is not asked for models whose price was set by hand, nor for local ones', () => {
    const calculator = new CostCalculator({ prices: { openai: { mine: { prompt: 1, completion: 1 } } } });
    million(calculator, 'openai', 'mine');
    million(calculator, 'llamaserver', 'any');
    expect(asked).not.toHaveBeenCalled();
  });

  it('lists for OpenRouter what storing a prompt of Gemini costs, to which the tokens come', () => {
    const cost = new CostCalculator().calculateCost('openrouter', 'google/gemini-3-flash-preview', 1e6, 0, {
      cacheWriteTokens: 1e6,
    });
    expect(cost.costUsd).toBeCloseTo(0.5 + 1 / 12, 12);
  });
});

describe('DeepSeek', () => {
  it.each([
    ['2026-10-15T00:59:59Z', 'before the morning peak', 1],
    ['2026-10-15T01:00:00Z', 'in the morning peak', 2],
    ['2026-10-15T04:00:00Z', 'at noon', 1],
    ['2026-10-15T09:59:59Z', 'in the afternoon peak', 2],
    ['2026-10-15T10:00:00Z', 'in the evening', 1],
    ['2026-10-17T02:00:00Z', 'on a Saturday morning', 1],
    ['2026-10-18T07:00:00Z', 'on a Sunday afternoon', 1],
  ])('costs at %s, %s, %d times the off-peak price', (at, _when, factor) => {
    vi.setSystemTime(at);
    const calculator = new CostCalculator();
    expect(million(calculator, 'deepseek', 'deepseek-v4-flash')).toBeCloseTo(0.15 * factor, 12);
    expect(million(calculator, 'deepseek', 'deepseek-v4-pro')).toBeCloseTo(0.66 * factor, 12);
    expect(calculator.getPricing('deepseek', 'deepseek-flash')[1]).toBeCloseTo(0.0006 * factor, 15);
  });
});
