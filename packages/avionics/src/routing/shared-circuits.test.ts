import { AirframeError } from '@x/airframe';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { unreliableStore } from '../../test/unreliable-store.ts';
import { silentLogger } from '../logger.ts';
import { MemoryStore } from '../store/memory.ts';
import type { ReplicaStore } from '../store/replica-store.ts';
import { BreakerBoard } from './breaker.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const error = new AirframeError('connection', 'x');

/** The board of one replica that has calls for the provider `a`. */
class Replica {
  readonly log: string[] = [];
  readonly board: BreakerBoard;

  constructor(store: ReplicaStore, openMs = 4_000) {
    const say = (message: string) => void this.log.push(message);
    const logger = { ...silentLogger, warn: say, info: say };
    this.board = new BreakerBoard({ failures: 2, openMs }, { store, logger });
  }

  get circuit() {
    return this.board.of('a');
  }

  /** Whether a call that comes now would be sent to the provider. */
  call(): boolean {
    return this.board.sorted([{ name: 'a' }]).ask.length > 0;
  }

  fail(): void {
    for (let n = 0; n < 2; n++) {
      this.circuit.began();
      this.circuit.failed(error);
    }
  }
}

function replicas(count: number, store: ReplicaStore = new MemoryStore()): Replica[] {
  return Array.from({ length: count }, () => new Replica(store));
}

/** Lets time pass while each replica has a call every 100 ms. @returns those that were let through, and began */
async function traffic(ms: number, all: readonly Replica[]): Promise<Replica[]> {
  const through: Replica[] = [];
  for (let passed = 0; passed < ms; passed += 100) {
    await vi.advanceTimersByTimeAsync(100);
    for (const one of all) {
      if (!one.call()) continue;
      one.circuit.began();
      through.push(one);
    }
  }
  return through;
}

const states = (all: readonly Replica[]) => all.map(({ circuit }) => circuit.state);

describe('BreakerBoard with a store that replicas share', () => {
  it('keeps away within a second from what another replica has seen fail, and comes back with it', async () => {
    const [one, two] = replicas(2) as [Replica, Replica];
    for (const each of [one, two]) expect(each.call()).toBe(true);
    await vi.advanceTimersByTimeAsync(200);
    one.fail();
    await vi.advanceTimersByTimeAsync(700);
    expect(two.call()).toBe(false);
    expect(two.circuit.opensInMs).toBeCloseTo(3_300);
    one.circuit.answered();
    await vi.advanceTimersByTimeAsync(700);
    expect(two.call()).toBe(true);
    expect(one.log).toEqual([]);
    expect(two.log).toEqual([
      'provider a is left alone: another replica has seen it fail',
      'provider a is asked again: another replica has seen it answer',
    ]);
  });

  it('has one replica probe at a time, and all of them wait longer when that fails', async () => {
    const all = replicas(3);
    await traffic(500, all);
    all[0]?.fail();
    await traffic(900, all);
    expect(states(all)).toEqual(['open', 'open', 'open']);
    const [prober, ...others] = await traffic(30_000, all);
    expect(others).toEqual([]);
    prober?.circuit.failed(error);
    expect(await traffic(7_900, all)).toEqual([]);
    const [next, ...more] = await traffic(3_000, all);
    expect(more).toEqual([]);
    next?.circuit.answered();
    await vi.advanceTimersByTimeAsync(700);
    expect(states(all)).toEqual(['closed', 'closed', 'closed']);
  });

  it('lets the first call after the open time probe, where there are calls', async () => {
    const [only] = replicas(1) as [Replica];
    only.fail();
    expect(await traffic(3_900, [only])).toEqual([]);
    expect(await traffic(100, [only])).toEqual([only]);
  });

  it('lets the second call after the open time probe, where calls are rare', async () => {
    const [only] = replicas(1) as [Replica];
    only.fail();
    const through: boolean[] = [];
    for (let n = 0; n < 3; n++) {
      await vi.advanceTimersByTimeAsync(60_000);
      through.push(only.call());
    }
    expect(through).toEqual([false, true, true]);
  });

  it('has another replica probe when the one that may has no calls, or has died', async () => {
    const [one, two] = replicas(2) as [Replica, Replica];
    await traffic(500, [one, two]);
    one.fail();
    await traffic(3_800, [one]);
    expect(await traffic(3_000, [two])).toEqual([]);
    expect(await traffic(3_000, [two])).toEqual([two]);
  });

  it('leaves the probe to a replica that has calls for it', async () => {
    const [one, two] = replicas(2) as [Replica, Replica];
    await traffic(500, [one, two]);
    one.fail();
    for (let passed = 0; passed < 4_000; passed += 100) {
      one.board.sorted([{ name: 'b' }]);
      expect(await traffic(100, [two])).toEqual(passed === 3_900 ? [two] : []);
    }
  });

  it('leaves the next probe to whoever has calls then, however soon that is', async () => {
    const store = new MemoryStore();
    const [one, two] = [new Replica(store, 300), new Replica(store, 300)];
    await traffic(500, [one, two]);
    one.fail();
    expect(await traffic(1_000, [one])).toEqual([one]);
    await vi.advanceTimersByTimeAsync(500);
    one.circuit.failed(error);
    expect(await traffic(1_500, [two])).toEqual([two]);
  });

  it('lets a probe be repeated that said nothing', async () => {
    const [only] = replicas(1) as [Replica];
    only.fail();
    await traffic(4_000, [only]);
    only.circuit.undecided();
    expect(only.call()).toBe(true);
  });

  it('tells a replica that comes later, and one that has had no calls for long', async () => {
    const store = new MemoryStore();
    const [one, idle] = replicas(2, store) as [Replica, Replica];
    idle.call();
    await vi.advanceTimersByTimeAsync(60_000);
    one.fail();
    await vi.advanceTimersByTimeAsync(1_000);
    const [late] = replicas(1, store) as [Replica];
    for (const each of [idle, late]) {
      each.call();
      await vi.advanceTimersByTimeAsync(10);
      expect(each.call()).toBe(false);
    }
  });

  it('does not go back on what happens here while it asks', async () => {
    const store = new MemoryStore();
    const [one, two] = replicas(2, store) as [Replica, Replica];
    two.fail();
    two.circuit.answered();
    await vi.advanceTimersByTimeAsync(0);
    const told = await store.get('circuit:a');
    expect(told).toContain('closed');
    vi.spyOn(store, 'get').mockImplementationOnce(
      () => new Promise(resolve => setTimeout(() => resolve(told), 100)),
    );
    one.call();
    await vi.advanceTimersByTimeAsync(50);
    one.fail();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(states([one])).toEqual(['open']);
    const own = (await store.get('circuit:a')) ?? '';
    expect(own).toContain('open');
    one.circuit.answered();
    await vi.advanceTimersByTimeAsync(700);
    // As a store may say that has lost what was told last.
    await store.set('circuit:a', own, 60_000);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(states([one])).toEqual(['closed']);
  });

  it('takes what it cannot read for nothing', async () => {
    const store = new MemoryStore();
    const [one] = replicas(1, store) as [Replica];
    for (const text of ['', '{', '{"state":"ajar","by":"x"}', '{"state":"open","by":"x","until":"soon"}']) {
      await store.set('circuit:a', text, 60_000);
      one.call();
      await vi.advanceTimersByTimeAsync(700);
      expect(one.call()).toBe(true);
    }
  });

  it('does nothing without calls', async () => {
    const store = new MemoryStore();
    const asked = vi.spyOn(store, 'get');
    const [one] = replicas(1, store) as [Replica];
    one.call();
    await vi.advanceTimersByTimeAsync(11_000);
    expect(vi.getTimerCount()).toBe(0);
    const before = asked.mock.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveBeenCalledTimes(before);
    one.call();
    one.board.close();
    one.call();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('BreakerBoard with a store that is away', () => {
  it('goes by what it sees itself, as without a store, and says so once', async () => {
    const store = unreliableStore();
    store.failing = 'down';
    const [one, two] = replicas(2, store) as [Replica, Replica];
    await traffic(500, [one, two]);
    one.fail();
    expect(await traffic(3_900, [one])).toEqual([]);
    expect(await traffic(1_000, [one])).toEqual([one]);
    expect(two.call()).toBe(true);
    one.circuit.failed(error);
    expect(one.circuit.opensInMs).toBe(8_000);
    await store.recover();
    await traffic(1_000, [one]);
    expect(one.log).toEqual([
      'the store that replicas share circuits through is away; each replica goes by the failures it sees itself',
      'the store that replicas share circuits through is back',
    ]);
  });

  it('waits for nothing while the store does not answer', async () => {
    const stuck = () => new Promise<never>((_, reject) => setTimeout(() => reject(new Error('late')), 250));
    const store = { get: stuck, set: stuck, claim: stuck, renew: stuck, release: stuck, delete: stuck };
    const [one] = replicas(1, store) as [Replica];
    expect(one.call()).toBe(true);
    one.fail();
    expect(one.call()).toBe(false);
    expect(await traffic(3_900, [one])).toEqual([]);
    expect(await traffic(100, [one])).toEqual([one]);
    one.circuit.succeeded();
    expect(one.call()).toBe(true);
  });
});

it('looking keeps no process alive', () => {
  vi.useRealTimers();
  const timers = () => process.getActiveResourcesInfo().filter(what => what === 'Timeout').length;
  const before = timers();
  const [one] = replicas(1) as [Replica];
  one.call();
  expect(timers()).toBe(before);
  one.board.close();
});
