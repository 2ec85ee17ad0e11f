import { z } from 'zod';
import type { Logger } from '../logger.ts';
import type { BestEffort } from '../store/best-effort.ts';
import type { ReplicaStore } from '../store/replica-store.ts';
import type { CircuitBreaker, CircuitPeers } from './breaker.ts';

export interface SharedCircuitOptions {
  /** The same for all replicas. */
  name: string;
  /** This replica. */
  self: string;
  store: ReplicaStore;
  effort: BestEffort;
  logger: Logger;
  /** The circuit's own clock. */
  now: () => number;
}

/** Replicas hear of a change for so long; of an open circuit that much longer than it is open. Milliseconds. */
const HEARD_FOR_MS = 120_000;
/** Who may probe and does not loses the right after so long, as does a process that has died; milliseconds. */
const PROBE_MS = 5_000;
/** The right to probe is claimed so long before the circuit's time is over, for the call that comes then; milliseconds. */
const EARLY_MS = 500;
/** A call that was kept away speaks for more to come for so long; milliseconds. */
const WANTED_MS = 1_000;
const NEVER = Number.NEGATIVE_INFINITY;

/** A change of a circuit. A time of the clock on the wall: where those of replicas differ, a probe is early or late. */
const changeSchema = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('open'),
    by: z.string(),
    /** Milliseconds since the epoch. */
    until: z.number(),
    times: z.int().nonnegative(),
  }),
  z.object({ state: z.literal('closed'), by: z.string() }),
]);
type Change = z.infer<typeof changeSchema>;

/**
 * One circuit among those of the same name in other replicas: tells them when it opens or closes, hears when they do,
 * and claims the right to probe, which one of them has at a time. All of it beside the calls, which wait for nothing.
 */
export class SharedCircuit implements CircuitPeers {
  readonly #options: SharedCircuitOptions;
  readonly #key: string;
  #circuit: CircuitBreaker | undefined;
  #mayProbe = false;
  /** When a call was kept away last. */
  #missedAt = NEVER;
  /** Changes made here. */
  #changes = 0;
  /** What was heard or told last. */
  #heard: string | undefined;
  /** What is to be told, the latest only. */
  #untold: { text: string; ttlMs: number } | undefined;
  #telling = false;

  constructor(options: SharedCircuitOptions) {
    this.#options = options;
    this.#key = `circuit:${options.name}`;
  }

  get mayProbe(): boolean {
    return this.#mayProbe || this.#options.effort.away;
  }

  get isProbing(): boolean {
    return this.#circuit?.isProbing ?? false;
  }

  joined(circuit: CircuitBreaker): void {
    this.#circuit = circuit;
  }

  opened(ms: number, times: number): void {
    const until = Date.now() + ms;
    this.#tell({ state: 'open', by: this.#options.self, until, times }, ms + HEARD_FOR_MS);
  }

  closed(): void {
    this.#tell({ state: 'closed', by: this.#options.self }, HEARD_FOR_MS);
  }

  /** A call would have come, and was kept away. */
  missed(): void {
    this.#missedAt = this.#options.now();
  }

  /** Claims a probe when one is due and wanted here, and hears what others have told. Never rejects. */
  async look(): Promise<void> {
    const { store, effort } = this.#options;
    // First: who gives a probe up tells how it went before.
    await this.#claimProbe();
    const before = this.#changes;
    const text = this.#telling ? undefined : await effort.ask(() => store.get(this.#key));
    // What was asked before a change here may be what was told before it.
    if (text !== undefined && text !== this.#heard && before === this.#changes) this.#hear(text);
  }

  #hear(text: string): void {
    this.#heard = text;
    const change = changeOf(text);
    if (!this.#circuit || !change || change.by === this.#options.self) return;
    const { name, logger } = this.#options;
    const wasClosed = this.#circuit.state === 'closed';
    this.#mayProbe = false;
    if (change.state === 'open') {
      const ms = Math.max(0, change.until - Date.now());
      this.#circuit.heardOpened(ms, change.times);
      const fields = { provider: name, ms: Math.round(ms) };
      if (wasClosed) logger.warn(`provider ${name} is left alone: another replica has seen it fail`, fields);
    } else if (!wasClosed) {
      this.#circuit.heardClosed();
      logger.info(`provider ${name} is asked again: another replica has seen it answer`, { provider: name });
    }
  }

  async #claimProbe(): Promise<void> {
    const { store, effort, self, now } = this.#options;
    if (!this.#circuit || this.#circuit.state === 'closed') return;
    if (this.isProbing) {
      await effort.ask(() => store.renew(this.#key, self, PROBE_MS));
      return;
    }
    const isWanted = now() - this.#missedAt <= WANTED_MS;
    if (this.#mayProbe || !isWanted || this.#circuit.opensInMs > EARLY_MS) return;
    const before = this.#changes;
    const reply = await effort.ask(() => store.claim(this.#key, 1, self, PROBE_MS));
    if (before === this.#changes) this.#mayProbe = reply?.granted ?? true;
  }

  #tell(change: Change, ttlMs: number): void {
    this.#changes++;
    this.#mayProbe = false;
    this.#missedAt = NEVER;
    this.#heard = JSON.stringify(change);
    this.#untold = { text: this.#heard, ttlMs: Math.ceil(ttlMs) };
    if (!this.#telling) void this.#tellAll();
  }

  /** One after the other, so that what is told last is what is heard last. */
  async #tellAll(): Promise<void> {
    const { store, effort, self } = this.#options;
    this.#telling = true;
    for (let next = this.#untold; next; next = this.#untold) {
      const { text, ttlMs } = next;
      this.#untold = undefined;
      await effort.ask(() => store.set(this.#key, text, ttlMs));
      await effort.ask(() => store.release(this.#key, self));
    }
    this.#telling = false;
  }
}

/** @returns undefined for what is none, e.g. of another version */
function changeOf(text: string): Change | undefined {
  try {
    return changeSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
