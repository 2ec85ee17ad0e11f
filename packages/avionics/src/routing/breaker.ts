import type { AirframeError, ErrorCategory } from '@x/airframe';
import { SharedCircuits, type SharedCircuitsOptions } from './shared-circuits.ts';

/** When a circuit opens, and for how long. */
export interface BreakerOptions {
  /** Failures in a row that open a circuit. Default 5. */
  failures?: number;
  /** Milliseconds a circuit stays open before one call may try again; doubles with each try that fails. Default 5,000. */
  openMs?: number;
  /** Longest time a circuit stays open, in milliseconds. Default 60,000. */
  maxOpenMs?: number;
  /** Milliseconds by a clock that never goes back. Default `performance.now`. */
  now?: () => number;
}

/** `open`: the provider is passed over. `half_open`: the next call tries it. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** Failures that speak of the provider; the rest speaks of the request, and would follow it anywhere. */
const OF_THE_PROVIDER: ReadonlySet<ErrorCategory> = new Set([
  'timeout',
  'connection',
  'backend',
  'parse',
  'unknown',
  'rate_limit',
  'overloaded',
  'quota',
  'auth',
]);

/** The circuits of the same name in other replicas, as one of them sees them. */
export interface CircuitPeers {
  /** Whether the probe is this one's to make, when its time is over. */
  readonly mayProbe: boolean;
  /** Whose peers they are. */
  joined(circuit: CircuitBreaker): void;
  /** It has opened, for so many milliseconds, having done so as many times in a row. */
  opened(ms: number, times: number): void;
  closed(): void;
}

/** Keeps calls away from one provider while it fails, and lets a single one through to see whether it is back. */
export class CircuitBreaker {
  readonly #options: Required<BreakerOptions>;
  #failures = 0;
  /** Times in a row that the circuit has opened. */
  #opened = 0;
  /** End of the open time; undefined: closed. */
  #until: number | undefined;
  #probing = false;
  readonly #peers: CircuitPeers | undefined;

  constructor(options: BreakerOptions = {}, peers?: CircuitPeers) {
    const { failures = 5, openMs = 5_000, maxOpenMs = 60_000, now = () => performance.now() } = options;
    this.#options = { failures, openMs, maxOpenMs, now };
    this.#peers = peers;
    peers?.joined(this);
  }

  get state(): BreakerState {
    if (this.#until === undefined) return 'closed';
    if (this.#options.now() < this.#until || this.#probing) return 'open';
    return this.#peers?.mayProbe === false ? 'open' : 'half_open';
  }

  /** A call is under way that went through it while it was not closed. */
  get isProbing(): boolean {
    return this.#probing;
  }

  /** Milliseconds until a call may try again; 0 when it may now. */
  get opensInMs(): number {
    if (this.#until === undefined) return 0;
    return Math.max(0, this.#until - this.#options.now());
  }

  /** A call goes out. Through a half-open circuit it is the one that probes, until it reports. */
  began(): void {
    if (this.#until !== undefined) this.#probing = true;
  }

  /** Its first output has come: the circuit closes. How the call ends is yet to be told. */
  answered(): void {
    const wasOpen = this.#until !== undefined;
    this.heardClosed();
    if (wasOpen) this.#peers?.closed();
  }

  succeeded(): void {
    this.answered();
    this.#failures = 0;
    this.#opened = 0;
  }

  /** The call was ended by the caller, or for a reason of its own: it says nothing. */
  undecided(): void {
    this.#probing = false;
  }

  failed(error: AirframeError): void {
    if (!OF_THE_PROVIDER.has(error.category)) {
      this.undecided();
      return;
    }
    const wasProbe = this.#probing;
    // A call from before the circuit opened tells what is known already: a burst of failures is one.
    if (this.#until !== undefined && !wasProbe) return;
    this.#failures++;
    this.#probing = false;
    if (!wasProbe && this.#failures < this.#options.failures) return;
    const { openMs, maxOpenMs, now } = this.#options;
    const backoff = openMs * 2 ** Math.min(this.#opened, 16);
    const asked = error.retryAfterMs ?? 0;
    this.#opened++;
    const ms = Math.min(maxOpenMs, Math.max(backoff, asked));
    this.#until = now() + ms;
    this.#peers?.opened(ms, this.#opened);
  }

  /** Another one has opened, and stays so for so many milliseconds. */
  heardOpened(ms: number, times: number): void {
    const { maxOpenMs, now } = this.#options;
    this.#opened = times;
    this.#until = now() + Math.min(maxOpenMs, ms);
  }

  /** Another one has closed. */
  heardClosed(): void {
    this.#until = undefined;
    this.#probing = false;
  }
}

/** One breaker for each name. */
export class BreakerBoard {
  readonly #options: BreakerOptions;
  readonly #breakers = new Map<string, CircuitBreaker>();
  readonly #shared: SharedCircuits | undefined;

  /** @param shared through it replicas that mean the same by a name keep away from what one of them has seen fail */
  constructor(options: BreakerOptions = {}, shared?: SharedCircuitsOptions) {
    this.#options = options;
    const { now = () => performance.now() } = options;
    this.#shared = shared && new SharedCircuits(shared, now);
  }

  of(name: string): CircuitBreaker {
    const known = this.#breakers.get(name);
    if (known) return known;
    const breaker = new CircuitBreaker(this.#options, this.#shared?.of(name));
    this.#breakers.set(name, breaker);
    return breaker;
  }

  /** States by name. */
  snapshot(): Record<string, BreakerState> {
    return Object.fromEntries([...this.#breakers].map(([name, breaker]) => [name, breaker.state]));
  }

  /**
   * Splits names into those to ask, in their order, and those whose circuits are open, the first to close in front.
   * When all are open the least bad of them is asked all the same: a breaker must not make an outage.
   */
  sorted<Item extends { readonly name: string }>(items: readonly Item[]): { ask: Item[]; open: Item[] } {
    const ask = items.filter(({ name }) => this.of(name).state !== 'open');
    const open = items
      .filter(item => !ask.includes(item))
      .sort((a, b) => this.of(a.name).opensInMs - this.of(b.name).opensInMs);
    this.#shared?.called(open.map(({ name }) => name));
    return { ask, open };
  }

  /** Hears no more from other replicas. */
  close(): void {
    this.#shared?.close();
  }
}
