import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Charge, Store } from '../src/store/store.ts';

const DAY_MS = 86_400_000;
/** Long enough for two calls on a busy machine. */
const SHORT_MS = 300;

/** What holds of every store. Each test has keys of its own, so that one store may serve all. */
export function testStore(name: string, open: () => Store): void {
  describe(`the store contract, kept by ${name}`, () => {
    let test = 0;
    const fresh = (): string => `${name}-${test++}`;
    const charge = (key: string, limit: number, amount: number): Charge => ({
      key,
      window: DAY_MS,
      limit,
      amount,
    });
    let ids = 0;
    const reserve = async (charges: Charge[], ttlMs = 60_000) => {
      const id = `${name}-${ids++}`;
      const { granted, windows, now } = await open().reserve({ id, charges, ttlMs });
      const settle = (...amounts: number[]) =>
        open().settle({
          id,
          charges: charges.map(({ key }, index) => {
            const { startsAt = 0, endsAt = 0 } = windows[index] ?? {};
            return { key, startsAt, endsAt, amount: amounts[index] ?? 0 };
          }),
        });
      return { id, granted, windows, now, settle };
    };
    const used = async (key: string) => {
      const [state] = await open().usage([{ key, window: DAY_MS }]);
      return { spent: state?.spent, held: state?.held };
    };

    it('grants while a window is not full, and the last one may overfill it', async () => {
      const key = fresh();
      const grants = [];
      for (let i = 0; i < 4; i++) grants.push((await reserve([charge(key, 100, 40)])).granted);
      expect(grants).toEqual([true, true, true, false]);
      expect(await used(key)).toEqual({ spent: 0, held: 120 });
    });

    it('puts the settled amount in the place of the reserved one', async () => {
      const key = fresh();
      const first = await reserve([charge(key, 100, 100)]);
      await first.settle(30);
      expect(await used(key)).toEqual({ spent: 30, held: 0 });
      expect((await reserve([charge(key, 100, 1)])).granted).toBe(true);
    });

    it('takes all charges or none', async () => {
      const [roomy, full] = [fresh(), fresh()];
      await reserve([charge(full, 10, 10)]);
      const second = await reserve([charge(roomy, 10, 1), charge(full, 10, 1)]);
      expect(second.granted).toBe(false);
      expect(second.windows.map(({ held }) => held)).toEqual([0, 10]);
      expect(await used(roomy)).toEqual({ spent: 0, held: 0 });
    });

    it('never refuses for an amount of 0, and counts what it is settled with', async () => {
      const key = fresh();
      await (await reserve([charge(key, 10, 10)])).settle(10);
      const free = await reserve([charge(key, 10, 0)]);
      expect(free.granted).toBe(true);
      await free.settle(3);
      expect(await used(key)).toEqual({ spent: 13, held: 0 });
    });

    it('gives back a reservation that outlives its time, and still counts it when it is settled', async () => {
      const key = fresh();
      const slow = await reserve([charge(key, 10, 10)], SHORT_MS);
      expect((await reserve([charge(key, 10, 1)])).granted).toBe(false);
      await sleep(SHORT_MS + 50);
      expect((await reserve([charge(key, 10, 1)])).granted).toBe(true);
      await slow.settle(9);
      expect(await used(key)).toEqual({ spent: 9, held: 1 });
    });

    it('keeps whole numbers exact up to nine million dollars in billionths', async () => {
      const key = fresh();
      const much = Number.MAX_SAFE_INTEGER - 1;
      await (await reserve([charge(key, Number.MAX_SAFE_INTEGER, much)])).settle(much);
      expect((await reserve([charge(key, Number.MAX_SAFE_INTEGER, 1)])).granted).toBe(true);
      expect(await used(key)).toEqual({ spent: much, held: 1 });
    });

    it('starts again in the next window, and leaves settlements of the last one out', async () => {
      const key = fresh();
      const window = { key, window: 1_000, limit: 1, amount: 1 };
      // At the beginning of a window, so that the two calls meet the same one.
      await sleep(1_000 - (Date.now() % 1_000) + 5);
      const old = await reserve([window]);
      expect((await reserve([window])).granted).toBe(false);
      const [{ endsAt = 0 } = {}] = old.windows;
      expect(endsAt % 1_000).toBe(0);
      await sleep(endsAt - old.now + 5);
      expect((await reserve([window])).granted).toBe(true);
      await old.settle(7);
      const [state] = await open().usage([window]);
      expect(state).toMatchObject({ spent: 0, held: 1 });
    });

    it('knows calendar months', async () => {
      const { windows } = await reserve([{ key: fresh(), window: 'month', limit: 1, amount: 1 }]);
      const now = new Date();
      expect(windows[0]).toMatchObject({
        startsAt: Date.UTC(now.getUTCFullYear(), now.getUTCMonth()),
        endsAt: Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1),
      });
    });

    it('keeps values until their time is over', async () => {
      const key = fresh();
      expect(await open().get(key)).toBeUndefined();
      await open().set(key, '{"a":"ü"}', 60_000);
      expect(await open().get(key)).toBe('{"a":"ü"}');
      await open().set(key, '', SHORT_MS);
      expect(await open().get(key)).toBe('');
      await sleep(SHORT_MS + 50);
      expect(await open().get(key)).toBeUndefined();
      await open().set(key, 'b', 60_000);
      await open().delete(key);
      expect(await open().get(key)).toBeUndefined();
    });

    it('has as many places as it is told, and one a holder', async () => {
      const key = fresh();
      const claim = (holder: string) => open().claim(key, 2, holder, 60_000);
      expect(await claim('a')).toEqual({ granted: true, held: 1 });
      expect(await claim('a')).toEqual({ granted: true, held: 1 });
      expect(await claim('b')).toEqual({ granted: true, held: 2 });
      expect(await claim('c')).toEqual({ granted: false, held: 2 });
      await open().release(key, 'c');
      await open().release(key, 'a');
      expect(await claim('c')).toEqual({ granted: true, held: 2 });
      expect(await open().held(key)).toBe(2);
    });

    it('frees the places of those who no longer renew them', async () => {
      const key = fresh();
      await open().claim(key, 2, 'dead', SHORT_MS);
      await open().claim(key, 2, 'alive', SHORT_MS);
      await open().renew(key, 'alive', 60_000);
      await sleep(SHORT_MS + 50);
      expect(await open().held(key)).toBe(1);
      await open().renew(key, 'dead', 60_000);
      expect(await open().held(key)).toBe(2);
    });
  });
}
