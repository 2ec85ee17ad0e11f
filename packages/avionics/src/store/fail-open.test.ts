import { describe, expect, it } from 'vitest';
import { testStore } from '../../test/store-contract.ts';
import { type Failing, unreliableStore } from '../../test/unreliable-store.ts';
import { FailOpenStore } from './fail-open.ts';

const shared = new FailOpenStore(unreliableStore());
testStore('a store that fails open', () => shared);

const away = unreliableStore();
away.failing = 'down';
const alone = new FailOpenStore(away);
testStore('a store that fails open and is away', () => alone);

describe('a store that fails open', () => {
  it('hands on errors that do not come from the store being away', async () => {
    const broken = unreliableStore();
    broken.get = async () => {
      throw new TypeError('a mistake');
    };
    await expect(new FailOpenStore(broken).get('x')).rejects.toThrow('a mistake');
  });

  it('knows of its own places when the store goes away', async () => {
    const box = unreliableStore();
    const store = new FailOpenStore(box);
    await store.claim('slot', 2, 'a', 60_000);
    await store.claim('slot', 2, 'b', 60_000);
    await store.release('slot', 'b');
    box.failing = 'down';
    expect(await store.claim('slot', 2, 'c', 60_000)).toEqual({ granted: true, held: 2 });
    expect(await store.claim('slot', 2, 'd', 60_000)).toEqual({ granted: false, held: 2 });
    await box.recover();
    // The place taken meanwhile is known there from its next renewal on.
    await store.renew('slot', 'c', 60_000);
    expect(await store.held('slot')).toBe(2);
  });

  it('forgets its own values when the store is back', async () => {
    const box = unreliableStore();
    const store = new FailOpenStore(box);
    await store.set('x', 'shared', 60_000);
    box.failing = 'down';
    await store.set('x', 'own', 60_000);
    expect(await store.get('x')).toBe('own');
    await box.recover();
    expect(await store.get('x')).toBe('shared');
  });

  const DAY_MS = 86_400_000;
  const failures: Failing[] = ['down', 'before', 'after'];
  it.each(failures)('counts each call once in the end, if reservations fail (%s)', async failing => {
    const box = unreliableStore();
    const store = new FailOpenStore(box);
    const charges = [{ key: 'budget', window: DAY_MS, limit: 30, amount: 10 }];
    const call = async (id: string) => {
      const { granted, windows } = await store.reserve({ id, ttlMs: 60_000, charges });
      const [{ startsAt = 0, endsAt = 0 } = {}] = windows;
      const settle = () => store.settle({ id, charges: [{ key: 'budget', startsAt, endsAt, amount: 8 }] });
      return { granted, settle };
    };
    const first = await call('1');
    await first.settle();
    box.failing = failing;
    const [second, third, fourth, fifth] = [
      await call('2'),
      await call('3'),
      await call('4'),
      await call('5'),
    ];
    // It goes on from the 10 that the store said last, up to the limit.
    expect([second.granted, third.granted, fourth.granted, fifth.granted]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    await Promise.all([second.settle(), third.settle()]);
    await box.recover();
    const [state] = await store.usage([{ key: 'budget', window: DAY_MS }]);
    expect({ spent: state?.spent, held: state?.held }).toEqual({ spent: 24, held: 0 });
  });
});
