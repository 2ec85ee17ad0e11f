import { describe, expect, it } from 'vitest';
import type { AttemptRecord, RequestRecord } from '../contract.ts';
import { timelineOf } from './timeline.ts';

const record = (changes: Partial<RequestRecord>): RequestRecord => ({
  ...{ id: 'r', at: 1000, key: 'k', agent: 'a', protocol: 'p', model: 'm', stream: true },
  ...{ state: 'succeeded', attempts: [] },
  ...changes,
});
const attempt = (changes: Partial<AttemptRecord>): AttemptRecord => ({
  ...{ provider: 'local', startMs: 0, durationMs: 100, outcome: 'ok' },
  ...changes,
});
const drawn = (of: RequestRecord, now = 0) =>
  timelineOf(of, now).tracks.map(({ label, outcome, segments }) => [
    label,
    outcome,
    ...segments.map(({ phase, from, to }) => `${phase} ${from}–${to}`),
  ]);

describe('the time line of a call', () => {
  it('shows the wait for a slot, the wait for the first token, and the stream', () => {
    const attempts = [attempt({ node: 'gpu-1', model: 'qwen', startMs: 20, durationMs: 80 })];
    expect(drawn(record({ attempts, queuedMs: 20, firstTokenMs: 50, latencyMs: 100 }))).toEqual([
      ['local · gpu-1 · qwen', 'ok', 'queue 0–20', 'wait 20–50', 'stream 50–100'],
    ]);
  });

  it('shows each try, and the wait between them', () => {
    const attempts = [
      attempt({ provider: 'cloud', durationMs: 30, outcome: 'timeout' }),
      attempt({ startMs: 45, durationMs: 55 }),
    ];
    expect(drawn(record({ attempts, queuedMs: 500, firstTokenMs: 70, latencyMs: 100 }))).toEqual([
      ['cloud', 'timeout', 'failed 0–30'],
      ['local', 'ok', 'queue 30–45', 'wait 45–70', 'stream 70–100'],
    ]);
  });

  it('shows an answer that broke off and was taken up', () => {
    const attempts = [
      attempt({ durationMs: 50, outcome: 'connection' }),
      attempt({ provider: 'cloud', startMs: 50, durationMs: 50 }),
    ];
    expect(drawn(record({ attempts, firstTokenMs: 20, latencyMs: 100 }))).toEqual([
      ['local', 'connection', 'wait 0–20', 'stream 20–50'],
      ['cloud', 'ok', 'stream 50–100'],
    ]);
  });

  it('reaches until now while the call is under way', () => {
    const attempts = [attempt({ durationMs: 0 })];
    expect(drawn(record({ state: 'running', attempts }), 1300)).toEqual([['local', undefined, 'open 0–300']]);
    expect(drawn(record({ state: 'running' }), 1300)).toEqual([['gateway', undefined, 'open 0–300']]);
    const answering = record({ state: 'running', provider: 'cloud', firstTokenMs: 50 });
    expect(drawn(answering, 1300)).toEqual([['cloud', undefined, 'wait 0–50', 'open 50–300']]);
  });

  it('has a place for calls that asked nobody', () => {
    expect(drawn(record({ cache: 'hit', latencyMs: 2 }))).toEqual([['cache (hit)', 'ok', 'cache 0–2']]);
    const error = { category: 'rate_limit', message: 'x' };
    expect(drawn(record({ state: 'failed', error, latencyMs: 1 }))).toEqual([
      ['gateway', 'rate_limit', 'failed 0–1'],
    ]);
  });
});
