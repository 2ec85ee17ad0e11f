import { describe, expect, it } from 'vitest';
import type { Budget, RequestRecord, Sample } from '../contract.ts';
import { budgetId, StateBuilder, trailsOf } from './state.ts';

const record = (id: string, state: RequestRecord['state'] = 'running'): RequestRecord => ({
  ...{ id, state, at: 0, key: 'k', agent: 'a', protocol: 'p', model: 'm', stream: true, attempts: [] },
});
const budget = (spent: number): Budget => ({
  ...{ rule: 'daily', scope: 'all', unit: 'usd', window: 'day', limit: 10, reserved: 0, resetsAt: 0 },
  spent,
});
const ids = (state: { requests: readonly RequestRecord[] }) => state.requests.map(({ id }) => id);

describe('the state of the console', () => {
  it('lists calls with the newest first, and each as it is last known', () => {
    const builder = new StateBuilder();
    builder.take('requests', [record('a'), record('b')]);
    builder.take('request', record('c'));
    builder.take('request', record('a', 'succeeded'));
    const state = builder.snapshot();
    expect(ids(state)).toEqual(['c', 'b', 'a']);
    expect(state.requests.at(-1)?.state).toBe('succeeded');
    for (let call = 0; call < 1000; call++) builder.take('request', record(`n${call}`));
    expect(builder.snapshot().requests).toHaveLength(1000);
    expect(ids(builder.snapshot())).not.toContain('c');
  });

  it('begins anew with what the gateway tells after a break', () => {
    const builder = new StateBuilder();
    builder.take('requests', [record('a')]);
    builder.take('unlisted', 5);
    builder.take('unlisted', 2);
    expect(builder.snapshot().unlisted).toBe(7);
    builder.take('requests', [record('b')]);
    expect([ids(builder.snapshot()), builder.snapshot().unlisted]).toEqual([['b'], 0]);
  });

  it('keeps a bounded number of seconds', () => {
    const builder = new StateBuilder();
    const sample = (at: number) => ({ at }) as Sample;
    builder.take('history', [sample(1), sample(2)]);
    for (let at = 3; at <= 500; at++) builder.take('sample', sample(at));
    const { samples } = builder.snapshot();
    expect([samples.length, samples[0]?.at, samples.at(-1)?.at]).toEqual([360, 141, 500]);
  });

  it('stays the same for those who compare, as long as nothing has come', () => {
    const builder = new StateBuilder();
    builder.take('request', record('a'));
    expect(builder.snapshot()).toBe(builder.snapshot());
    builder.take('something-new', {});
    expect(builder.snapshot()).toBe(builder.snapshot());
  });
});

it('follows what a budget has spent until it begins anew', () => {
  const id = budgetId(budget(0));
  const first = trailsOf(new Map(), [budget(1)], 10);
  const second = trailsOf(first, [budget(3)], 20);
  expect(second.get(id)).toEqual([
    { at: 10, spent: 1 },
    { at: 20, spent: 3 },
  ]);
  expect(trailsOf(second, [budget(0)], 30).get(id)).toEqual([{ at: 30, spent: 0 }]);
  expect(trailsOf(second, [], 30).size).toBe(0);
});
