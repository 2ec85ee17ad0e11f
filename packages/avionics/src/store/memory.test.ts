import { describe, expect, it } from 'vitest';
import { testStore } from '../../test/store-contract.ts';
import { MemoryStore } from './memory.ts';

const shared = new MemoryStore();
testStore('memory', () => shared);

describe('the memory store', () => {
  it('drops the oldest values when they grow too large', async () => {
    const store = new MemoryStore({ maxChars: 30 });
    for (const key of ['a', 'b', 'c']) await store.set(key, '123456789', 1_000);
    await store.set('b', '123456789', 1_000);
    for (const key of ['d', 'e']) await store.set(key, '123456789', 1_000);
    const kept = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map(async key => (await store.get(key)) !== undefined),
    );
    expect(kept).toEqual([false, true, false, true, true]);
  });

  it('forgets by itself what nobody asks for any more', async () => {
    let now = 0;
    const store = new MemoryStore({ now: () => now });
    await store.set('value', 'x', 1_000);
    await store.claim('slot', 1, 'holder', 1_000);
    now = 120_000;
    await store.set('other', 'x', 1_000);
    const window = { startsAt: 0, endsAt: 180_000, spent: 5, held: 0 };
    store.adopt('window', window);
    now = 240_000;
    store.adopt('other', { ...window, startsAt: 180_000, endsAt: 360_000 });
    now = 0;
    const [usage] = await store.usage([{ key: 'window', window: 180_000 }]);
    expect(usage?.spent).toBe(0);
    expect(await store.get('value')).toBeUndefined();
    expect(await store.held('slot')).toBe(0);
  });
});
