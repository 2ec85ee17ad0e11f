import { randomUUID } from 'node:crypto';
import type { Logger } from '../logger.ts';
import { BestEffort } from '../store/best-effort.ts';
import type { ReplicaStore } from '../store/replica-store.ts';
import { SharedCircuit } from './shared-circuit.ts';

export interface SharedCircuitsOptions {
  /** Not closed here. */
  store: ReplicaStore;
  logger: Logger;
}

/** Between two looks at what other replicas have told, in milliseconds. */
const LOOK_MS = 500;
/** Looks go on for so long after the last call, in milliseconds. */
const IDLE_MS = 10_000;

/**
 * The circuits of this replica among those of others. While there are calls it looks twice a second at what others
 * have told; without calls it does nothing, and it keeps no process alive. While the store is away each replica goes by
 * what it has seen itself.
 */
export class SharedCircuits {
  readonly #options: SharedCircuitsOptions;
  readonly #now: () => number;
  readonly #self = randomUUID();
  readonly #effort: BestEffort;
  readonly #circuits = new Map<string, SharedCircuit>();
  #calledAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param now the clock of the circuits */
  constructor(options: SharedCircuitsOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
    const meanwhile = 'each replica goes by the failures it sees itself';
    this.#effort = new BestEffort({ shares: 'circuits', meanwhile, logger: options.logger });
  }

  of(name: string): SharedCircuit {
    const known = this.#circuits.get(name);
    if (known) return known;
    const { store, logger } = this.#options;
    const parts = { self: this.#self, effort: this.#effort, now: this.#now };
    const circuit = new SharedCircuit({ name, store, logger, ...parts });
    this.#circuits.set(name, circuit);
    return circuit;
  }

  /** There is a call. @param kept names of the circuits that kept it away */
  called(kept: Iterable<string>): void {
    this.#calledAt = this.#now();
    for (const name of kept) this.of(name).missed();
    if (!this.#timer && !this.#closed) this.#lookIn(0);
  }

  /** Looks no more; what happens here is still told. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(() => void this.#look(), ms).unref();
  }

  async #look(): Promise<void> {
    const circuits = [...this.#circuits.values()];
    await Promise.all(circuits.map(circuit => circuit.look()));
    if (this.#closed) return;
    const isIdle = this.#now() - this.#calledAt > IDLE_MS && !circuits.some(({ isProbing }) => isProbing);
    if (isIdle) this.#timer = undefined;
    else this.#lookIn(LOOK_MS);
  }
}
