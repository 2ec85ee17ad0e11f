import { describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import { CostCalculator, calculateCost, getCostCalculator } from './calculator.ts';

describe('prices', () => {
  it.each([
    ['openai', 'gpt-4', 0.03, 0.06],
    ['openai', 'gpt-3.5-turbo', 0.0015, 0.002],
    ['azure', 'gpt-4', 0.03, 0.06],
    ['azure', 'gpt-35-turbo', 0.0015, 0.002],
    ['anthropic', 'claude-3-5-sonnet-20241022', 0.003, 0.015],
    ['anthropic', 'claude-sonnet-4-5', 0.003, 0.015],
    ['llamaserver', 'gpt-4', 0, 0],
    ['llamacpp', 'anything', 0, 0],
    ['mock', 'anything', 0, 0],
  ])('of %s %s are %d and %d USD per 1K tokens', (provider, model, prompt, completion) => {
    const calculator = new CostCalculator();
    expect(calculator.getPricing(provider, model)).toEqual([prompt, completion]);
    const cost = calculator.calculateCost(provider, model, 2_000, 500);
    expect(cost).toMatchObject({ provider, model, promptTokens: 2_000, totalTokens: 2_500, priced: true });
    expect(cost.costUsd).toBeCloseTo(2 * prompt + completion / 2, 12);
  });

  it('set by hand go before all others, local ones too', () => {
    const prices = {
      openai: { 'gpt-4': { prompt: 1, completion: 2 } },
      llamaserver: { 'qwen-72b': { prompt: 0.0001, completion: 0.0002 } },
    };
    const calculator = new CostCalculator({ prices });
    expect(calculator.getPricing('openai', 'gpt-4')).toEqual([1, 2]);
    expect(calculator.calculateCost('llamaserver', 'qwen-72b', 1_000, 1_000).costUsd).toBeCloseTo(0.0003, 12);
    expect(calculator.getPricing('llamaserver', 'other')).toEqual([0, 0]);
  });
});

describe('a cost', () => {
  const sonnet = (promptTokens: number, cachedTokens: number, cacheWriteTokens: number) =>
    calculateCost('anthropic', 'claude-sonnet-4-0', promptTokens, 0, { cachedTokens, cacheWriteTokens })
      .costUsd;

  it('has cached and cache-write tokens at their own price, once', () => {
    expect(sonnet(1_000, 0, 0)).toBeCloseTo(0.003, 12);
    expect(sonnet(1_000, 1_000, 0)).toBeCloseTo(0.0003, 12);
    expect(sonnet(1_000, 0, 1_000)).toBeCloseTo(0.00375, 12);
    expect(sonnet(1_000, 600, 300)).toBeCloseTo(0.6 * 0.0003 + 0.3 * 0.00375 + 0.1 * 0.003, 12);
  });

  it('has cached tokens at the full price where the provider gives no discount', () => {
    const cost = calculateCost('openai', 'gpt-4', 1_000, 0, { cachedTokens: 800 });
    expect(cost.costUsd).toBeCloseTo(0.03, 12);
  });

  it('has a long prompt at the price of long prompts', () => {
    expect(calculateCost('anthropic', 'claude-sonnet-4-5', 100_000, 0).costUsd).toBeCloseTo(0.3, 9);
    expect(calculateCost('anthropic', 'claude-sonnet-4-5', 300_000, 0).costUsd).toBeGreaterThan(1.2);
  });

  it('survives figures that make no sense', () => {
    expect(sonnet(100, 5_000, 5_000)).toBeCloseTo(0.1 * 0.0003, 12);
    expect(calculateCost('openai', 'gpt-4', Number.NaN, -5).costUsd).toBe(0);
  });

  it('says how many tokens a dollar buys', () => {
    expect(calculateCost('openai', 'gpt-4', 1_000, 1_000).tokensPerDollar).toBeCloseTo(2_000 / 0.09, 6);
    expect(calculateCost('mock', 'm', 1_000, 1_000).tokensPerDollar).toBe(Number.POSITIVE_INFINITY);
  });

  it('can be estimated from a text', () => {
    expect(getCostCalculator().estimateCost('openai', 'gpt-4', 'x'.repeat(4_000))).toBeCloseTo(0.03, 12);
    expect(getCostCalculator().estimateCost('openai', 'gpt-4', 'x'.repeat(4_000), 0.5)).toBeCloseTo(0.06, 12);
  });
});

describe('a model nobody knows', () => {
  it('is not priced, never silently free, and said once', () => {
    const warn = vi.fn();
    const calculator = new CostCalculator({ logger: { ...silentLogger, warn } });
    for (const model of ['gpt-99', 'gpt-99', 'constructor']) {
      expect(calculator.calculateCost('openai', model, 1_000, 1_000)).toMatchObject({
        costUsd: 0,
        priced: false,
      });
    }
    expect(calculator.isPriced('openai', 'gpt-99')).toBe(false);
    expect(warn.mock.calls.map(([message]) => message)).toEqual([
      expect.stringContaining('openai model "gpt-99"'),
      expect.stringContaining('openai model "constructor"'),
    ]);
  });
});

describe('the model to bill', () => {
  const calculator = new CostCalculator({
    prices: { azure: { 'my-deployment': { prompt: 1, completion: 1 } } },
  });

  it('is the requested one when its price was set by hand', () => {
    expect(calculator.billingModel('azure', 'my-deployment', 'gpt-4o')).toBe('my-deployment');
  });

  it('is the reported one when its price is known', () => {
    expect(calculator.billingModel('azure', 'other-deployment', 'gpt-4o')).toBe('gpt-4o');
    expect(calculator.billingModel('openai', undefined, 'gpt-4o')).toBe('gpt-4o');
  });

  it('is else the requested one', () => {
    expect(calculator.billingModel('openai', 'gpt-4', 'gpt-4-secret-build')).toBe('gpt-4');
    expect(calculator.billingModel('openai', undefined, undefined)).toBe('default');
  });
});
