/** When a node that fails is left alone, and for how long. */
export interface EjectionOptions {
  /** Failures in a row that put a node out. Default 3. */
  failures?: number;
  /** The same where they came faster than an answer would have: such a node would draw traffic. Default 2. */
  fastFailures?: number;
  /** First time out, in milliseconds; doubles with each further one. Default 1,000. */
  baseMs?: number;
  /** Longest time out, in milliseconds. Default 60,000. */
  maxMs?: number;
  /** Calls a node gets at once when its time is over, until one of them succeeds. Default 1. */
  probes?: number;
}

/** `unreachable`: no connection. `fast`: failed sooner than it usually answers. */
export type FailureKind = 'unreachable' | 'fast' | 'slow';

/** `in`: takes calls. `out`: takes none. `probing`: may take a few, to show that it is well again. */
export type EjectionState = 'in' | 'out' | 'probing';

/** Successes in a row after which earlier times out are forgotten. */
const FORGETS_AFTER = 5;

/** Puts a node that fails out for a growing time, and lets it back by way of a few probes. Pure: time is given. */
export class Ejection {
  readonly #options: Required<EjectionOptions>;
  #failures = 0;
  #fastFailures = 0;
  #successes = 0;
  /** Times out in a row. */
  #times = 0;
  /** The present time out, by the clock of the caller; undefined: it is in. */
  #out: { since: number; until: number } | undefined;

  constructor(options: EjectionOptions = {}) {
    const { failures = 3, fastFailures = 2, baseMs = 1_000, maxMs = 60_000, probes = 1 } = options;
    this.#options = { failures, fastFailures, baseMs, maxMs, probes };
  }

  get probes(): number {
    return this.#options.probes;
  }

  /** When the time out ends or has ended; 0 when it is in. */
  get until(): number {
    return this.#out?.until ?? 0;
  }

  state(now: number): EjectionState {
    if (!this.#out) return 'in';
    return now < this.#out.until ? 'out' : 'probing';
  }

  /** A call that began before the node went out says nothing new, here and below. */
  succeeded(startedAt: number): void {
    if (this.#out && startedAt < this.#out.since) return;
    this.#out = undefined;
    this.#failures = 0;
    this.#fastFailures = 0;
    if (++this.#successes >= FORGETS_AFTER) this.#times = 0;
  }

  failed(kind: FailureKind, startedAt: number, now: number): void {
    const state = this.state(now);
    if (state === 'out' || (this.#out && startedAt < this.#out.since)) return;
    this.#successes = 0;
    this.#failures++;
    this.#fastFailures = kind === 'slow' ? 0 : this.#fastFailures + 1;
    const { failures, fastFailures, baseMs, maxMs } = this.#options;
    const enough = this.#failures >= failures || this.#fastFailures >= fastFailures;
    if (state === 'in' && kind !== 'unreachable' && !enough) return;
    this.#out = { since: now, until: now + Math.min(maxMs, baseMs * 2 ** this.#times) };
    this.#times++;
  }

  /** Ends a time out early: something else has seen that the node is well. */
  endAt(now: number): void {
    if (this.#out && this.#out.until > now) this.#out.until = now;
  }
}
