import { describe, expect, it, vi } from 'vitest';
import { type Failing, unreliableStore } from '../../test/unreliable-store.ts';
import { MemoryStore } from '../store/memory.ts';
import { type LimitedCall, Limiter } from './limiter.ts';
import type { LimitRule } from './rules.ts';

/** 12:00:30 on a day in the middle of a month. */
const NOON = Date.UTC(2026, 0, 15, 12, 0, 30);

function limiterOf(...rules: LimitRule[]) {
  const clock = { now: NOON };
  const store = new MemoryStore({ now: () => clock.now });
  return { limiter: new Limiter({ rules, store }), clock, store };
}

const call = (fields: Partial<LimitedCall> = {}): LimitedCall => ({ tokens: 10, nanoUsd: 0, ...fields });

describe('a limiter', () => {
  it('asks no store for a call that no rule concerns', async () => {
    const { limiter, store } = limiterOf({ name: 'vip', scope: 'key', match: 'k1', window: 'day', usd: 1 });
    const reserve = vi.spyOn(store, 'reserve');
    const reservation = await limiter.reserve(call({ keys: ['k2'], agent: 'planner' }));
    await reservation.settle({ tokens: 5, nanoUsd: 5 });
    expect(reserve).not.toHaveBeenCalled();
  });

  it('says which rule keeps a call back, by how much, and when to come again', async () => {
    const { limiter } = limiterOf({ name: 'daily', scope: 'agent', window: 'day', usd: 0.5 });
    const first = await limiter.reserve(call({ agent: 'planner', nanoUsd: 400_000_000 }));
    await limiter.reserve(call({ agent: 'planner', nanoUsd: 200_000_000 }));
    await first.settle({ tokens: 1, nanoUsd: 450_000_001 });
    await expect(limiter.reserve(call({ agent: 'planner', nanoUsd: 1 }))).rejects.toMatchObject({
      category: 'quota',
      code: 'limit_reached',
      retryable: false,
      retryAfterMs: 43_170_000,
      message:
        'rule "daily" allows 0.5 USD a day for agent "planner", with 0.650000001 USD used or reserved; ' +
        'wait 43170 s, until 2026-01-16T00:00:00.000Z, or raise `usd` of the rule',
    });
    // Each agent has a budget of its own.
    await limiter.reserve(call({ agent: 'critic', nanoUsd: 1 }));
  });

  it('calls a limit of a minute a rate, which a caller may wait for', async () => {
    const { limiter, clock } = limiterOf({ name: 'rpm', scope: 'all', window: 'minute', requests: 2 });
    for (let i = 0; i < 2; i++) await (await limiter.reserve(call())).settle({ tokens: 1, nanoUsd: 0 });
    await expect(limiter.reserve(call())).rejects.toMatchObject({
      category: 'rate_limit',
      retryable: true,
      retryAfterMs: 30_000,
    });
    clock.now += 30_000;
    await limiter.reserve(call());
  });

  it('never lets more than one call past a limit, whatever runs at once', async () => {
    const { limiter } = limiterOf({ name: 'tpm', scope: 'all', window: 'minute', tokens: 1_000 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, () => limiter.reserve(call({ tokens: 300 }))),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
  });

  it('takes nothing from the other limits when one is reached, and names the one that takes longest', async () => {
    const { limiter } = limiterOf(
      { name: 'minute', scope: 'tag', match: 'batch', window: 'minute', tokens: 10 },
      { name: 'month', scope: 'all', window: 'month', tokens: 10, requests: 5 },
    );
    await limiter.reserve(call({ tags: ['batch', 'batch'] }));
    await expect(limiter.reserve(call({ tags: ['batch'] }))).rejects.toThrow(
      'rule "month" allows 10 tokens a month, with 10 tokens used',
    );
    const usage = await limiter.usage();
    expect(usage.map(({ rule, unit, reserved }) => [rule, unit, reserved])).toEqual([
      ['minute', 'tokens', 10],
      ['month', 'tokens', 10],
      ['month', 'requests', 1],
    ]);
  });

  it('lets a free call through when the dollars are used up', async () => {
    const { limiter } = limiterOf({ name: 'daily', scope: 'all', window: 'day', usd: 1 });
    await limiter.reserve(call({ nanoUsd: 1e9 }));
    await expect(limiter.reserve(call({ nanoUsd: 1 }))).rejects.toThrow('1 USD used or reserved');
    await limiter.reserve(call({ nanoUsd: 0 }));
  });

  it('counts only the first ending of a reservation', async () => {
    const { limiter } = limiterOf({ name: 'day', scope: 'all', window: 'day', tokens: 100, requests: 9 });
    const made = await limiter.reserve(call());
    await Promise.all([made.settle({ tokens: 7, nanoUsd: 0 }), made.settle({ tokens: 7, nanoUsd: 0 })]);
    await made.release();
    const unmade = await limiter.reserve(call());
    await unmade.release();
    await unmade.settle({ tokens: 7, nanoUsd: 0 });
    const usage = await limiter.usage();
    expect(usage.map(({ spent, reserved }) => [spent, reserved])).toEqual([
      [7, 0],
      [1, 0],
    ]);
  });

  it('gives a survey of what is used, also of agents that no rule names', async () => {
    const { limiter } = limiterOf(
      { name: 'each', scope: 'agent', window: 'hour', usd: 2 },
      { name: 'vip', scope: 'key', match: 'k1', window: 'day', tokens: 50 },
    );
    const reservation = await limiter.reserve(call({ agent: 'planner', nanoUsd: 250_000_000 }));
    expect(await limiter.usage()).toEqual([
      {
        rule: 'vip',
        scope: 'key',
        subject: 'k1',
        unit: 'tokens',
        window: 'day',
        limit: 50,
        spent: 0,
        reserved: 0,
        resetsAt: Date.UTC(2026, 0, 16),
      },
      {
        rule: 'each',
        scope: 'agent',
        subject: 'planner',
        unit: 'usd',
        window: 'hour',
        limit: 2,
        spent: 0,
        reserved: 0.25,
        resetsAt: Date.UTC(2026, 0, 15, 13),
      },
    ]);
    await reservation.settle({ tokens: 0, nanoUsd: 1_500_000_000 });
    expect((await limiter.usage())[1]).toMatchObject({ spent: 1.5, reserved: 0 });
  });

  it('tells neither the store nor an error what a key is', async () => {
    const { limiter, store } = limiterOf({ name: 'keys', scope: 'key', window: 'day', requests: 1 });
    const reserve = vi.spyOn(store, 'reserve');
    await limiter.reserve(call({ keys: ['secret-key-1'] }));
    await expect(limiter.reserve(call({ keys: ['secret-key-1'] }))).rejects.toThrow(
      /^rule "keys" allows 1 request a day for this key, with 1 request used or reserved; wait/,
    );
    expect(JSON.stringify(reserve.mock.calls)).not.toContain('secret-key');
  });

  it('refuses rules and amounts that make no sense, and names them all', async () => {
    const rules = [
      { name: 'a', scope: 'all', window: 'day' },
      { name: 'b', scope: 'all', match: 'x', window: 'week', usd: -1, token: 5 },
    ] as unknown as LimitRule[];
    expect(() => new Limiter({ rules })).toThrow(
      /rule "a": give usd, tokens or requests; rule "b".window: use minute, hour.*rule "b".usd: .*token/,
    );
    const twice: LimitRule = { name: 'a', scope: 'all', window: 'day', usd: 1 };
    expect(() => new Limiter({ rules: [twice, twice] })).toThrow('rules: give each rule a name of its own');
    const { limiter } = limiterOf(twice);
    await expect(limiter.reserve(call({ nanoUsd: 0.5 }))).rejects.toThrow(
      'nanoUsd of a call is 0.5; give a whole number from 0',
    );
  });
});

describe('a limiter whose store fails', () => {
  const budget: LimitRule = { name: 'daily', scope: 'all', window: 'day', tokens: 10 };
  const failures: Failing[] = ['down', 'before', 'after'];

  it.each(failures)('refuses calls when it fails closed, and leaves nothing reserved (%s)', async failing => {
    const store = unreliableStore();
    const limiter = new Limiter({ rules: [budget], store, whenStoreFails: 'closed' });
    store.failing = failing;
    for (let i = 0; i < 3; i++) {
      await expect(limiter.reserve(call())).rejects.toMatchObject({
        category: 'overloaded',
        retryAfterMs: 50,
        message:
          'limits cannot be checked: the box is down; ' +
          "or let calls go on meanwhile, with whenStoreFails: 'open'",
      });
    }
    await store.recover();
    expect((await limiter.usage())[0]).toMatchObject({ spent: 0, reserved: 0 });
  });

  it.each(failures)('lets calls go on within what was left when it fails open (%s)', async failing => {
    const store = unreliableStore();
    const limiter = new Limiter({ rules: [budget], store });
    const first = await limiter.reserve(call({ tokens: 4 }));
    store.failing = failing;
    const second = await limiter.reserve(call({ tokens: 6 }));
    await expect(limiter.reserve(call({ tokens: 1 }))).rejects.toThrow('with 10 tokens used or reserved');
    await first.settle({ tokens: 3, nanoUsd: 0 });
    await second.settle({ tokens: 5, nanoUsd: 0 });
    await store.recover();
    expect((await limiter.usage())[0]).toMatchObject({ spent: 8, reserved: 0 });
  });

  it('gives a settlement up for wrong only where its amounts are none', async () => {
    const store = unreliableStore();
    const limiter = new Limiter({ rules: [budget], store });
    const reservation = await limiter.reserve(call({ tokens: 4 }));
    store.failing = 'down';
    await expect(reservation.settle({ tokens: Number.NaN, nanoUsd: 0 })).rejects.toThrow(
      'tokens of a call is NaN',
    );
    await reservation.settle({ tokens: 3, nanoUsd: 0 });
    await store.recover();
    expect((await limiter.usage())[0]).toMatchObject({ spent: 3, reserved: 0 });
  });
});
