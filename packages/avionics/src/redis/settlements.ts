import type { Settlement } from '../store/store.ts';

/** Most settlements kept. */
const MAX_KEPT = 20_000;

interface Kept {
  settlement: Settlement;
  /** When it may have reached Redis without this being known, in milliseconds since the epoch. */
  sentAt: number | undefined;
}

/** Settlements that wait for Redis to come back. */
export class Settlements {
  readonly #rememberMs: number;
  #kept: Kept[] = [];
  #dropped = 0;

  /** @param rememberMs how long Redis knows of a settlement: after that a second one would count again */
  constructor(rememberMs: number) {
    this.#rememberMs = rememberMs;
  }

  get size(): number {
    return this.#kept.length;
  }

  /** How many were given up, for lack of room. */
  get dropped(): number {
    return this.#dropped;
  }

  add(settlement: Settlement, sentAt: number | undefined): void {
    this.#kept.push({ settlement, sentAt });
    if (this.#kept.length <= MAX_KEPT) return;
    this.#kept.shift();
    this.#dropped++;
  }

  /** Takes out the oldest ones; leaves out what is too old to be sent twice, or whose windows are all over. */
  take(count: number): Kept[] {
    const now = Date.now();
    const batch = this.#kept.slice(0, count);
    this.#kept = this.#kept.slice(count);
    return batch.filter(
      ({ settlement, sentAt }) =>
        (sentAt === undefined || now - sentAt < this.#rememberMs) &&
        settlement.charges.some(({ endsAt }) => endsAt > now),
    );
  }
}
