import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CostCalculator } from './calculator.ts';

/** Public facts; absent prices are those of `input` and `output`, and of `cacheWrite` for an hour. */
interface Fact {
  input: number;
  output: number;
  cached?: number;
  cacheWrite?: number;
  cacheWrite1h?: number;
}

interface ModelFact extends Fact {
  provider: string;
  model: string;
  source: string;
  long?: Partial<Fact> & { above: number };
}

interface Facts {
  at: string;
  sources: Record<string, { what: string; date: string }>;
  models: ModelFact[];
}

const facts = JSON.parse(
  readFileSync(new URL('./__fixtures__/prices.json', import.meta.url), 'utf8'),
) as Facts;

interface Shape {
  prompt: number;
  completion: number;
  cached?: number;
  cacheWrite?: number;
  cacheWrite1h?: number;
  reasoning?: number;
}

const SHAPES: Record<string, Shape> = {
  'a plain call': { prompt: 12_345, completion: 678 },
  'one token': { prompt: 1, completion: 0 },
  'a cached prompt': { prompt: 54_321, completion: 987, cached: 50_000 },
  'a cache write': { prompt: 54_321, completion: 987, cacheWrite: 50_000 },
  'a cache write for an hour': { prompt: 54_321, completion: 987, cacheWrite: 50_000, cacheWrite1h: 30_000 },
  'a bit of everything': {
    prompt: 71_993,
    completion: 4_999,
    cached: 40_009,
    cacheWrite: 20_011,
    cacheWrite1h: 7_001,
    reasoning: 3_331,
  },
  reasoning: { prompt: 1_999, completion: 32_771, reasoning: 30_011 },
};

/** The shapes for a model with a price of long prompts: on both sides of the threshold. */
function longShapes(above: number): Record<string, Shape> {
  return {
    'a prompt just short of long': { prompt: above - 1, completion: 1_000, cached: 10_000 },
    'a long prompt': { prompt: above + 1, completion: 1_000 },
    'a long prompt, mostly cached': { prompt: above + 50_021, completion: 3_001, cached: above - 7 },
    'a long prompt, written to the cache': {
      prompt: above + 1_013,
      completion: 11,
      cacheWrite: 100_003,
      cacheWrite1h: 50_021,
    },
  };
}

/** USD per million tokens are µUSD a token; six more digits make whole pUSD a token of every price there is. */
function pico(usdPerMillion: number): bigint {
  const whole = Math.round(usdPerMillion * 1e6);
  if (Math.abs(whole / 1e6 - usdPerMillion) > 1e-12) throw new Error(`${usdPerMillion} has too many digits`);
  return BigInt(whole);
}

/** What the shape costs by the facts, in USD, exact until the division at the end. */
function expectedUsd(fact: ModelFact, shape: Shape): number {
  const { prompt, completion, cached = 0, cacheWrite = 0, cacheWrite1h = 0 } = shape;
  const price: Fact = fact.long && prompt > fact.long.above ? { ...fact, ...fact.long } : fact;
  const { input, output, cached: cachedPrice = input, cacheWrite: writePrice = input } = price;
  const parts: [number, number][] = [
    [prompt - cached - cacheWrite, input],
    [cached, cachedPrice],
    [cacheWrite - cacheWrite1h, writePrice],
    [cacheWrite1h, price.cacheWrite1h ?? writePrice],
    // Reasoning is completion; nobody in the table sells it at another price.
    [completion, output],
  ];
  const picoUsd = parts.reduce((sum, [tokens, usd]) => sum + BigInt(tokens) * pico(usd), 0n);
  return Number(picoUsd) / 1e12;
}

describe('a cost equals the public price facts', () => {
  beforeAll(() => void vi.useFakeTimers({ now: new Date(facts.at), toFake: ['Date'] }));
  afterAll(() => void vi.useRealTimers());

  const calculator = new CostCalculator();

  it.each(facts.models.map(fact => [fact.provider, fact.model, fact] as const))(
    'for %s %s, in all shapes of usage',
    (provider, model, fact) => {
      const shapes = { ...SHAPES, ...(fact.long ? longShapes(fact.long.above) : {}) };
      for (const [name, shape] of Object.entries(shapes)) {
        const cost = calculator.calculateCost(provider, model, shape.prompt, shape.completion, {
          cachedTokens: shape.cached,
          cacheWriteTokens: shape.cacheWrite,
          cacheWrite1hTokens: shape.cacheWrite1h,
          reasoningTokens: shape.reasoning,
        });
        const expected = expectedUsd(fact, shape);
        const off = Math.abs(cost.costUsd - expected) / (expected || 1);
        expect(
          off,
          `${name}: ${cost.costUsd} USD, by ${fact.source} (${facts.sources[fact.source]?.date}) ${expected}`,
        ).toBeLessThanOrEqual(1e-12);
        expect(cost.priced).toBe(true);
      }
    },
  );

  it('for many models, each with a dated source', () => {
    const names = new Set(facts.models.map(({ provider, model }) => `${provider} ${model}`));
    expect(names.size).toBe(facts.models.length);
    expect(names.size).toBeGreaterThanOrEqual(100);
    for (const { source } of facts.models) expect(facts.sources[source]?.date).toMatch(/^\d{4}-\d\d-\d\d$/);
    for (const kind of ['cached', 'cacheWrite', 'cacheWrite1h', 'long'] as const) {
      expect(facts.models.filter(fact => fact[kind] !== undefined).length, kind).toBeGreaterThan(10);
    }
  });
});
