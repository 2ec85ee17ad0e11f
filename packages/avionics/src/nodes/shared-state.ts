import type { Logger } from '../logger.ts';
import { BestEffort } from '../store/best-effort.ts';
import type { ReplicaStore } from '../store/replica-store.ts';

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
  readonly #effort: BestEffort;
  /** This replica. */
  readonly #self: string;
  #claims = 0;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(store: ReplicaStore, self: string, logger: Logger) {
    this.#store = store;
    this.#self = self;
    const meanwhile = 'each replica counts those it uses itself';
    this.#effort = new BestEffort({ shares: 'node slots', meanwhile, logger });
  }

  /** @returns undefined when others have all slots */
  async claim(address: string, slots: number): Promise<Claim | undefined> {
    const key = `slots:${address}`;
    const holder = `${this.#self}:${++this.#claims}`;
    const reply = await this.#effort.ask(() => this.#store.claim(key, slots, holder, CLAIM_TTL_MS));
    if (reply?.granted === false) return undefined;
    const timer = setInterval(() => {
      void this.#effort.ask(() => this.#store.renew(key, holder, CLAIM_TTL_MS));
    }, CLAIM_TTL_MS / 3).unref();
    this.#timers.add(timer);
    const release = () => {
      clearInterval(timer);
      this.#timers.delete(timer);
      void this.#effort.ask(() => this.#store.release(key, holder));
    };
    return { held: reply?.held ?? 0, release };
  }

  /** Whether another replica, or an operator at any, has said that the node is not to be used. */
  async isOut(address: string): Promise<boolean> {
    const who = await this.#effort.ask(() => this.#store.get(`out:${address}`));
    return who !== undefined && who !== this.#self;
  }

  /** Tells that this replica keeps calls away from a node for so many milliseconds. */
  ejected(address: string, ms: number): void {
    if (ms >= 1) void this.#effort.ask(() => this.#store.set(`out:${address}`, this.#self, Math.ceil(ms)));
  }

  /** Tells what an operator says of a node. */
  marked(address: string, healthy: boolean): void {
    const key = `out:${address}`;
    void this.#effort.ask(() =>
      healthy ? this.#store.delete(key) : this.#store.set(key, OPERATOR, OPERATOR_TTL_MS),
    );
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.clear();
  }
}
