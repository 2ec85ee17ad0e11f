import { expect, it } from 'vitest';
import { Sampler } from './sampler.ts';
import { record } from './test-records.ts';

const IDLE = { inFlight: 0, waiting: 0 };
const attempt = (provider: string, outcome: string) => ({ provider, outcome, startMs: 0, durationMs: 1 });

it('counts a second for all, and for each provider, agent and key', () => {
  const sampler = new Sampler();
  const usage = { promptTokens: 10, completionTokens: 5, source: 'reported' };
  sampler.ended(record({ agent: 'a', usage, costUsd: 0.5, latencyMs: 100, firstTokenMs: 20 }));
  sampler.ended(record({ agent: 'b', key: 'other', cache: 'hit', latencyMs: 300 }));
  const sample = sampler.tick(1000, { inFlight: 2, waiting: 1 });
  expect(sample).toMatchObject({ at: 1000, inFlight: 2, waiting: 1 });
  expect(sample.all).toEqual({
    ...{ requests: 2, errors: {}, promptTokens: 10, completionTokens: 5, costUsd: 0.5 },
    ...{ fallbacks: 0, cacheHits: 1, latencyMs: { p50: 100, p95: 300 }, firstTokenMs: { p50: 20, p95: 20 } },
  });
  expect(sample.agents).toMatchObject({ a: { requests: 1, costUsd: 0.5 }, b: { cacheHits: 1 } });
  expect(sample.keys).toMatchObject({ team: { requests: 1 }, other: { requests: 1 } });
  expect(sample.providers).toMatchObject({ local: { requests: 2 } });
});

it('counts failures by category, and takes times from calls that went well', () => {
  const sampler = new Sampler();
  const error = { category: 'timeout', message: 'x' };
  sampler.ended(record({ state: 'failed', error, latencyMs: 9 }));
  sampler.ended(record({ state: 'stopped', latencyMs: 9 }));
  const { all } = sampler.tick(0, IDLE);
  expect(all).toMatchObject({ requests: 2, errors: { timeout: 1 } });
  expect(all.latencyMs).toBeUndefined();
});

it('shows a call that fell back at both providers, one failure each however often they were tried', () => {
  const sampler = new Sampler();
  const attempts = [attempt('local', 'timeout'), attempt('local', 'connection'), attempt('cloud', 'ok')];
  sampler.ended(record({ provider: 'cloud', attempts }));
  const { all, providers } = sampler.tick(0, IDLE);
  expect(all).toMatchObject({ requests: 1, errors: {}, fallbacks: 1 });
  expect(providers).toMatchObject({
    local: { requests: 1, errors: { connection: 1 }, fallbacks: 0 },
    cloud: { requests: 1, errors: {}, fallbacks: 1 },
  });
});

it('begins each second anew and keeps the last ones', () => {
  const sampler = new Sampler(2);
  sampler.ended(record());
  for (const at of [1, 2, 3]) sampler.tick(at, IDLE);
  expect(sampler.history.map(({ at, all }) => [at, all.requests])).toEqual([
    [2, 0],
    [3, 0],
  ]);
});

it('stays small whatever comes', () => {
  const sampler = new Sampler();
  for (let call = 1; call <= 5000; call++) sampler.ended(record({ agent: `agent ${call}`, latencyMs: call }));
  const { agents, all } = sampler.tick(0, IDLE);
  expect(Object.keys(agents)).toHaveLength(101);
  expect(agents['other']).toMatchObject({ requests: 4900 });
  // Read off 512 of 5,000: the middle one lies within 500 of 2,500 but for one time in a million.
  expect(all.latencyMs?.p50).toBeGreaterThan(2000);
  expect(all.latencyMs?.p50).toBeLessThan(3000);
});
