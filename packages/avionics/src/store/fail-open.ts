import type { AirframeError } from '@x/airframe';
import { MemoryStore } from './memory.ts';
import {
  type ClaimReply,
  isStoreError,
  type ReserveReply,
  type ReserveRequest,
  type Settlement,
  STORE_FAILED,
  type Store,
  type WindowState,
} from './store.ts';
import { cancellationOf } from './windows.ts';

/**
 * A shared store that lets calls go on while it is away: this process then counts and keeps by itself.
 *
 * - Windows of limits go on from what the shared store said last, each process for itself: together they may spend
 *   what was left as often as there are processes. All of it is booked in the shared store when it is back.
 * - Values and claims are this process's own, and are forgotten when the store is back; a claim comes with its next
 *   `renew`. A value deleted meanwhile lives on in the shared store until its time is over.
 */
export class FailOpenStore implements Store {
  readonly #shared: Store;
  readonly #local: MemoryStore;
  /** Reservations that only this process knows of. */
  readonly #own = new Set<string>();

  constructor(shared: Store, local: MemoryStore = new MemoryStore()) {
    this.#shared = shared;
    this.#local = local;
  }

  async reserve(request: ReserveRequest): Promise<ReserveReply> {
    let failure: AirframeError;
    try {
      const reply = await this.#shared.reserve(request);
      this.#learn(request, reply);
      return reply;
    } catch (error) {
      if (!isStoreError(error)) throw error;
      failure = error;
    }
    const reply = await this.#local.reserve(request);
    if (reply.granted) this.#own.add(request.id);
    else if (failure.code === STORE_FAILED) await this.#shared.settle(cancellationOf(request));
    return reply;
  }

  async settle(settlement: Settlement): Promise<void> {
    if (this.#own.delete(settlement.id)) await this.#local.settle(settlement);
    await this.#shared.settle(settlement);
  }

  usage(windows: Parameters<Store['usage']>[0]): Promise<WindowState[]> {
    return this.#or(
      () => this.#shared.usage(windows),
      () => this.#local.usage(windows),
    );
  }

  get(key: string): Promise<string | undefined> {
    return this.#or(
      () => this.#shared.get(key),
      () => this.#local.get(key),
    );
  }

  set(key: string, value: string, ttlMs: number): Promise<void> {
    return this.#or(
      () => this.#shared.set(key, value, ttlMs),
      () => this.#local.set(key, value, ttlMs),
    );
  }

  async delete(key: string): Promise<void> {
    await this.#local.delete(key);
    await this.#or(
      () => this.#shared.delete(key),
      async () => {},
    );
  }

  async claim(key: string, capacity: number, holder: string, ttlMs: number): Promise<ClaimReply> {
    try {
      const reply = await this.#shared.claim(key, capacity, holder, ttlMs);
      // So that this process at least knows of its own places when the store goes away.
      if (reply.granted) await this.#local.renew(key, holder, ttlMs);
      return reply;
    } catch (error) {
      if (!isStoreError(error)) throw error;
      return this.#local.claim(key, capacity, holder, ttlMs);
    }
  }

  async renew(key: string, holder: string, ttlMs: number): Promise<void> {
    await this.#local.renew(key, holder, ttlMs);
    await this.#or(
      () => this.#shared.renew(key, holder, ttlMs),
      async () => {},
    );
  }

  async release(key: string, holder: string): Promise<void> {
    await this.#local.release(key, holder);
    await this.#or(
      () => this.#shared.release(key, holder),
      async () => {},
    );
  }

  held(key: string): Promise<number> {
    return this.#or(
      () => this.#shared.held(key),
      () => this.#local.held(key),
    );
  }

  close(): Promise<void> {
    return this.#shared.close();
  }

  async #or<Result>(shared: () => Promise<Result>, local: () => Promise<Result>): Promise<Result> {
    try {
      return await shared();
    } catch (error) {
      if (!isStoreError(error)) throw error;
      return local();
    }
  }

  /** What this process goes on from when the shared store goes away. */
  #learn({ charges }: ReserveRequest, { granted, windows }: ReserveReply): void {
    for (const [index, { key, amount }] of charges.entries()) {
      const window = windows[index];
      if (window) this.#local.adopt(key, { ...window, held: window.held + (granted ? amount : 0) });
    }
  }
}
