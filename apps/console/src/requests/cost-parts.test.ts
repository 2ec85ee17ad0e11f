import { expect, it } from 'vitest';
import type { ModelEntry, RequestRecord } from '../contract.ts';
import { costParts } from './cost-parts.ts';

const MODELS: ModelEntry[] = [
  {
    id: 'smart',
    targets: [{ provider: 'cloud', type: 'openai' }],
    price: { prompt: 0.001, completion: 0.01 },
  },
];
const attempt = { provider: 'cloud', startMs: 0, durationMs: 1, outcome: 'ok' };
const USAGE = { promptTokens: 1000, completionTokens: 100, cachedTokens: 800, source: 'reported' };
const record: RequestRecord = {
  ...{
    id: 'r',
    at: 0,
    key: 'k',
    agent: 'a',
    protocol: 'p',
    model: 'smart',
    stream: true,
    state: 'succeeded',
  },
  ...{ provider: 'cloud', attempts: [attempt], usage: USAGE, costUsd: 0.0013 },
};

it('tells prompt and answer apart, the rebate for what was cached with the prompt', () => {
  expect(costParts(record, USAGE, MODELS)).toEqual([
    { label: 'Prompt', tokens: 1000, price: '$1.00 / 1M', cost: expect.closeTo(0.0003) },
    { label: 'of it cached', tokens: 800, price: '', isPart: true },
    { label: 'Answer', tokens: 100, price: '$10.00 / 1M', cost: 0.001 },
  ]);
});

it('tells nothing apart that several tries share, or whose price is another one', () => {
  const costs = (of: RequestRecord) => costParts(of, USAGE, MODELS).map(({ cost }) => cost);
  expect(costs({ ...record, attempts: [attempt, attempt] })).toEqual([undefined, undefined, undefined]);
  expect(costParts({ ...record, provider: 'other' }, USAGE, MODELS)[0]).toEqual({
    ...{ label: 'Prompt', tokens: 1000, price: '' },
  });
});
