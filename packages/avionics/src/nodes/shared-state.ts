import { AirframeError } from '@x/airframe';
import type { Logger } from '../logger.ts';

/** What replicas need of a store to share nodes. Its calls must end within a bounded time; they may reject. */
export interface ReplicaStore {
  /**
   * Takes one of `capacity` places, which is free again after `ttlMs` without `renew`.
   * @returns `held`: the places taken, this one included
   */
  claim(
    key: string,
    capacity: number,
    holder: string,
    ttlMs: number,
  ): Promise<{ granted: boolean; held: number }>;
  renew(key: string, holder: string, ttlMs: number): Promise<void>;
  release(key: string, holder: string): Promise<void>;
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
}

/** A claim is given up this long after its process died, and renewed three times in that time; milliseconds. */
const CLAIM_TTL_MS = 30_000;
/** How long a word of an operator on a node holds among replicas; milliseconds. */
const OPERATOR_TTL_MS = 24 * 3_600_000;
const OPERATOR = 'operator';

/** A slot that no other replica will use. */
export interface Claim {
  /** Slots of the node that replicas use, this one included. */
  held: number;
  /** Gives it back. Never throws. */
  release(): void;
}

/**
 * What replicas tell each other of nodes: which slots they use and which nodes they have seen fail. Nodes go by their
 * address, for names are every replica's own. While the store is away each replica goes by what it knows itself.
 */
export class SharedState {
  readonly #store: ReplicaStore;
  readonly #logger: Logger;
  /** This replica. */
  readonly #self: string;
  #claims = 0;
  #away = false;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(store: ReplicaStore, self: string, logger: Logger) {
    this.#store = store;
    this.#self = self;
    this.#logger = logger;
  }

  /** @returns undefined when others have all slots */
  async claim(address: string, slots: number): Promise<Claim | undefined> {
    const key = `slots:${address}`;
    const holder = `${this.#self}:${++this.#claims}`;
    const reply = await this.#try(() => this.#store.claim(key, slots, holder, CLAIM_TTL_MS));
    if (reply?.granted === false) return undefined;
    const timer = setInterval(() => {
      void this.#try(() => this.#store.renew(key, holder, CLAIM_TTL_MS));
    }, CLAIM_TTL_MS / 3).unref();
    this.#timers.add(timer);
    const release = () => {
      clearInterval(timer);
      this.#timers.delete(timer);
      void this.#try(() => this.#store.release(key, holder));
    };
    return { held: reply?.held ?? 0, release };
  }

  /** Whether another replica, or an operator at any, has said that the node is not to be used. */
  async isOut(address: string): Promise<boolean> {
    const who = await this.#try(() => this.#store.get(`out:${address}`));
    return who !== undefined && who !== this.#self;
  }

  /** Tells that this replica keeps calls away from a node for so many milliseconds. */
  ejected(address: string, ms: number): void {
    if (ms >= 1) void this.#try(() => this.#store.set(`out:${address}`, this.#self, Math.ceil(ms)));
  }

  /** Tells what an operator says of a node. */
  marked(address: string, healthy: boolean): void {
    const key = `out:${address}`;
    void this.#try(() =>
      healthy ? this.#store.delete(key) : this.#store.set(key, OPERATOR, OPERATOR_TTL_MS),
    );
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.clear();
  }

  /** @returns undefined when the store did not answer */
  async #try<Result>(ask: () => Promise<Result>): Promise<Result | undefined> {
    try {
      const result = await ask();
      if (this.#away) this.#logger.info('the store that replicas share node slots through is back');
      this.#away = false;
      return result;
    } catch (error) {
      if (!this.#away) {
        const fields = { error: AirframeError.from(error).message };
        this.#logger.warn('the store is away; slots of nodes are counted by each replica for itself', fields);
      }
      this.#away = true;
      return undefined;
    }
  }
}
