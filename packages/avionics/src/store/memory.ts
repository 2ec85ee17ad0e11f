import type {
  Charge,
  ClaimReply,
  ReserveReply,
  ReserveRequest,
  Settlement,
  Store,
  WindowState,
} from './store.ts';
import { windowAt } from './windows.ts';

/** What {@link MemoryStore} takes. */
export interface MemoryStoreOptions {
  /** Most characters of values kept; the oldest go first. Default 32,000,000. */
  maxChars?: number;
  /** For tests: the clock, in milliseconds since the epoch. */
  now?: () => number;
}

interface Window extends WindowState {
  pending: Map<string, { amount: number; expiresAt: number }>;
}

/** Milliseconds between two searches for what has expired and nobody has asked for. */
const SWEEP_MS = 60_000;

/** A store for one process: nothing is shared, nothing outlives it. */
export class MemoryStore implements Store {
  readonly #now: () => number;
  readonly #maxChars: number;
  readonly #windows = new Map<string, Window>();
  readonly #values = new Map<string, { value: string; expiresAt: number }>();
  /** Key → holder → end of the claim. */
  readonly #claims = new Map<string, Map<string, number>>();
  #chars = 0;
  #sweepAt = 0;

  constructor({ maxChars = 32_000_000, now = Date.now }: MemoryStoreOptions = {}) {
    this.#maxChars = maxChars;
    this.#now = now;
  }

  async reserve(request: ReserveRequest): Promise<ReserveReply> {
    return this.reserveNow(request);
  }

  /** {@link reserve}, for those who know that it is here. */
  reserveNow({ id, charges, ttlMs }: ReserveRequest): ReserveReply {
    const now = this.#tick();
    const open: Window[] = [];
    const windows: WindowState[] = [];
    let granted = true;
    for (const charge of charges) {
      const window = this.#window(charge, now);
      open.push(window);
      windows.push(stateOf(window));
      granted &&= !isFull(charge, window);
    }
    if (!granted) return { granted, now, windows };
    for (const [index, window] of open.entries()) {
      const { amount } = charges[index] as Charge;
      window.held += amount;
      window.pending.set(id, { amount, expiresAt: now + ttlMs });
    }
    return { granted, now, windows };
  }

  /** Unlike what the interface promises an id may not come twice: here no reply gets lost. */
  async settle({ id, charges }: Settlement): Promise<void> {
    const now = this.#tick();
    for (const { key, startsAt, endsAt, amount } of charges) {
      if (now >= endsAt) continue;
      const window = this.#windowFrom(key, startsAt, endsAt);
      forget(window, id);
      window.spent += amount;
    }
  }

  async usage(windows: readonly Pick<Charge, 'key' | 'window'>[]): Promise<WindowState[]> {
    const now = this.#tick();
    return windows.map(window => stateOf(this.#window(window, now)));
  }

  /** Takes another store's word for what is used in a window. */
  adopt(key: string, { startsAt, endsAt, spent, held }: WindowState): void {
    this.#tick();
    this.#windows.set(key, { startsAt, endsAt, spent: spent + held, held: 0, pending: new Map() });
  }

  async get(key: string): Promise<string | undefined> {
    const entry = this.#values.get(key);
    return entry && entry.expiresAt > this.#now() ? entry.value : undefined;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    const now = this.#tick();
    this.#drop(key);
    this.#values.set(key, { value, expiresAt: now + ttlMs });
    this.#chars += key.length + value.length;
    for (const oldest of this.#values.keys()) {
      if (this.#chars <= this.#maxChars) break;
      this.#drop(oldest);
    }
  }

  async delete(key: string): Promise<void> {
    this.#drop(key);
  }

  async claim(key: string, capacity: number, holder: string, ttlMs: number): Promise<ClaimReply> {
    const holders = this.#holders(key, this.#tick());
    const granted = holders.has(holder) || holders.size < capacity;
    if (granted) this.#hold(key, holders, holder, ttlMs);
    return { granted, held: holders.size };
  }

  async renew(key: string, holder: string, ttlMs: number): Promise<void> {
    this.#hold(key, this.#holders(key, this.#tick()), holder, ttlMs);
  }

  async release(key: string, holder: string): Promise<void> {
    const holders = this.#claims.get(key);
    holders?.delete(holder);
    if (holders?.size === 0) this.#claims.delete(key);
  }

  async held(key: string): Promise<number> {
    return this.#holders(key, this.#now()).size;
  }

  async close(): Promise<void> {}

  #window({ key, window }: Pick<Charge, 'key' | 'window'>, now: number): Window {
    const { startsAt, endsAt } = windowAt(now, window);
    const found = this.#windowFrom(key, startsAt, endsAt);
    for (const [id, { expiresAt }] of found.pending) {
      // In the order of their making, which is that of their ends as long as they all live equally long.
      if (expiresAt > now) break;
      forget(found, id);
    }
    return found;
  }

  #windowFrom(key: string, startsAt: number, endsAt: number): Window {
    const known = this.#windows.get(key);
    if (known?.startsAt === startsAt) return known;
    const fresh = { startsAt, endsAt, spent: 0, held: 0, pending: new Map() };
    this.#windows.set(key, fresh);
    return fresh;
  }

  #holders(key: string, now: number): Map<string, number> {
    const holders = this.#claims.get(key) ?? new Map<string, number>();
    for (const [holder, expiresAt] of holders) if (expiresAt <= now) holders.delete(holder);
    return holders;
  }

  #hold(key: string, holders: Map<string, number>, holder: string, ttlMs: number): void {
    holders.set(holder, this.#now() + ttlMs);
    this.#claims.set(key, holders);
  }

  #drop(key: string): void {
    const entry = this.#values.get(key);
    if (!entry) return;
    this.#values.delete(key);
    this.#chars -= key.length + entry.value.length;
  }

  /** The time; now and then what has expired is thrown away. */
  #tick(): number {
    const now = this.#now();
    if (now < this.#sweepAt) return now;
    this.#sweepAt = now + SWEEP_MS;
    for (const [key, { endsAt }] of this.#windows) if (endsAt <= now) this.#windows.delete(key);
    for (const [key, { expiresAt }] of this.#values) if (expiresAt <= now) this.#drop(key);
    for (const key of [...this.#claims.keys()]) {
      if (this.#holders(key, now).size === 0) this.#claims.delete(key);
    }
    return now;
  }
}

function isFull({ amount, limit }: Charge, { spent, held }: WindowState): boolean {
  return amount > 0 && spent + held >= limit;
}

function forget(window: Window, id: string): void {
  const pending = window.pending.get(id);
  if (!pending) return;
  window.held -= pending.amount;
  window.pending.delete(id);
}

function stateOf({ startsAt, endsAt, spent, held }: WindowState): WindowState {
  return { startsAt, endsAt, spent, held };
}
