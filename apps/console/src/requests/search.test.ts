import { expect, it } from 'vitest';
import type { RequestRecord } from '../contract.ts';
import { matcherOf } from './search.ts';

const RECORD: RequestRecord = {
  ...{
    id: 'r-77',
    at: 0,
    key: 'ci',
    agent: 'planner',
    protocol: 'openai-chat',
    model: 'smart',
    stream: true,
  },
  ...{ state: 'failed', status: 429, provider: 'cloud', answeredBy: 'gpt-5' },
  error: { category: 'rate_limit', message: 'Slow down: later' },
  attempts: [{ provider: 'local', node: 'gpu-1', startMs: 0, durationMs: 1, outcome: 'timeout' }],
};
const finds = (query: string) => matcherOf(query)(RECORD);

it('finds words in any field, and all of them', () => {
  expect(['', 'R-77', 'plan', 'gpu-1 429', 'slow down'].map(finds)).toEqual([true, true, true, true, true]);
  expect(['nothing', 'planner nothing'].map(finds)).toEqual([false, false]);
});

it('finds words in the field that is named', () => {
  expect(['key:ci', 'provider:local', 'error:timeout', 'status:42', 'model:GPT'].map(finds)).not.toContain(
    false,
  );
  expect(['key:planner', 'state:running', 'node:cloud'].map(finds)).not.toContain(true);
});

it('takes a colon behind no field as a part of the word', () => {
  expect(finds('down:')).toBe(true);
});
