import { describe, expect, it, vi } from 'vitest';
import { type Logger, silentLogger } from '../logger.ts';
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
    ['ollama', 'qwen3:8b', 0, 0],
    ['vllm', 'gpt-4', 0, 0],
    ['lmstudio', 'anything', 0, 0],
    ['groq', 'llama-3.3-70b-versatile', 0.00059, 0.00079],
    ['mistral', 'mistral-large-2411', 0.002, 0.006],
    ['together', 'meta-llama/Llama-3.3-70B-Instruct-Turbo', 0.00088, 0.00088],
    ['openrouter', 'openai/gpt-4.1', 0.002, 0.008],
    ['gemini', 'gemini-2.5-flash', 0.0003, 0.0025],
    ['azure', 'claude-sonnet-5-5', 0.002, 0.01],
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

  it('set by hand are refused where they make no sense', () => {
    const tiers = [{ above: 1_000, prompt: Number.NaN }];
    for (const [price, name] of [
      [{ prompt: -1, completion: 0 }, 'the prompt price of openai model "m" is -1'],
      [{ prompt: 1, completion: 0, tiers }, 'the prompt price of openai model "m" is NaN'],
    ] as const) {
      expect(() => new CostCalculator({ prices: { openai: { m: price } } })).toThrow(
        `${name}; set USD per 1,000 tokens, 0 or more`,
      );
    }
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

  it('has reasoning tokens once: as completion, or at their own price', () => {
    const prices = { openai: { thinker: { prompt: 1, completion: 2, reasoning: 5 } } };
    const own = new CostCalculator({ prices });
    expect(own.calculateCost('openai', 'thinker', 0, 1_000, { reasoningTokens: 400 }).costUsd).toBe(3.2);
    expect(own.calculateCost('openai', 'thinker', 0, 1_000, { reasoningTokens: 9_000 }).costUsd).toBe(5);
    const o3 = (reasoningTokens: number) =>
      calculateCost('openai', 'o3', 0, 1_000, { reasoningTokens }).costUsd;
    expect(o3(0)).toBeCloseTo(0.008, 12);
    expect(o3(800)).toBe(o3(0));
  });

  it('has tokens written to the cache for an hour at their own price', () => {
    const cost = calculateCost('anthropic', 'claude-sonnet-4-0', 1_000, 0, {
      cacheWriteTokens: 1_000,
      cacheWrite1hTokens: 400,
    });
    expect(cost.costUsd).toBeCloseTo(0.6 * 0.00375 + 0.4 * 0.006, 12);
  });

  it('takes a usage as it is', () => {
    const usage = {
      promptTokens: 1_000,
      completionTokens: 100,
      totalTokens: 1_100,
      cachedTokens: 1_000,
      reasoningTokens: 50,
      source: 'reported',
    } as const;
    const cost = calculateCost('openai', 'o3', usage.promptTokens, usage.completionTokens, usage);
    expect(cost.costUsd).toBeCloseTo(0.0005 + 0.0008, 12);
  });

  it('has the price of the highest tier that the prompt exceeds, for all its tokens', () => {
    const tiers = [
      { above: 2_000, prompt: 4, completion: 20 },
      { above: 1_000, prompt: 2 },
    ];
    const prices = { openai: { m: { prompt: 1, completion: 10, cachedPrompt: 0.5, tiers } } };
    const own = new CostCalculator({ prices });
    const cost = (prompt: number, cachedTokens = 0) =>
      own.calculateCost('openai', 'm', prompt, 1_000, { cachedTokens }).costUsd;
    expect(cost(1_000)).toBe(11);
    expect(cost(1_001)).toBeCloseTo(2.002 + 10, 12);
    expect(cost(2_000)).toBe(14);
    expect(cost(3_000)).toBe(32);
    expect(cost(3_000, 1_000)).toBe(28.5);
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
  it('takes pino for a call as well, fields first', () => {
    const warn = vi.fn();
    const logger = { ...silentLogger, warn, bindings: () => ({}) } as Logger;
    new CostCalculator().calculateCost('openai', 'gpt-nobody-knows', 1, 1, { logger });
    expect(warn).toHaveBeenCalledWith(expect.objectContaining({ provider: 'openai' }), expect.any(String));
  });

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
    expect(calculator.unpricedModels()).toEqual([
      { provider: 'openai', model: 'gpt-99' },
      { provider: 'openai', model: 'constructor' },
    ]);
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
