import { setMaxListeners } from 'node:events';
import type { Timeouts } from '../endpoint.ts';
import { AirframeError } from '../errors.ts';

/** The clock that runs besides the one of the whole call. */
export type DeadlinePhase = 'connect' | 'headers' | 'idle';

type Clock = DeadlinePhase | 'total';

const WAITED_FOR: Record<Clock, string> = {
  connect: 'no connection',
  headers: 'no response',
  idle: 'nothing more was sent',
  total: 'the call was not over',
};

/** What of an AbortSignal a call needs. */
export interface CallSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
  /** The listener is called once, when it comes to that. */
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  /** The listener is not to be called any more. */
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** What tells that a call ends before its time: as an AbortSignal does, for less. */
export interface Ending {
  readonly aborted: boolean;
  /** Set once it is `aborted`. */
  readonly reason?: unknown;
  /** To be told when it comes to that. */
  onEnd(tell: (reason: unknown) => void): void;
  /** Not to be told any more. */
  offEnd(tell: (reason: unknown) => void): void;
}

/**
 * The clocks of one call: one for the phase it is in, one for the whole. Whatever ends the call first, a clock
 * or the caller's signal, is the reason of `signal`, always an AirframeError.
 */
export class Deadlines implements Ending {
  /** Among the calls under way; kept by them. */
  place = -1;
  /** Made for those who ask for a signal: it costs more than all the clocks. */
  #controller: AbortController | undefined;
  /** Why the call has ended before its time. */
  #reason: AirframeError | undefined;
  readonly #listeners: ((reason: unknown) => void)[] = [];
  readonly #where: string;
  readonly #timeouts: Required<Timeouts>;
  readonly #callerSignal: CallSignal | undefined;
  #phase: DeadlinePhase | undefined;
  /** Of the phase entered last; while it is paused it runs on, and its end means nothing. */
  #phaseTimer: NodeJS.Timeout | undefined;
  #timedPhase: DeadlinePhase | undefined;
  #totalTimer: NodeJS.Timeout | undefined;
  /** headersMs is one budget for all exchanges of a call. */
  #headersUntil: number | undefined;

  /** @param where stands in front of the errors: whom the call waits for */
  constructor(timeouts: Required<Timeouts>, callerSignal?: CallSignal, where = '') {
    this.#where = where && `${where}: `;
    this.#timeouts = timeouts;
    this.#callerSignal = callerSignal;
    // Many calls may share one signal, and each listens while it lasts: no leak that Node should warn of.
    if (callerSignal instanceof EventTarget) setMaxListeners(0, callerSignal);
    if (callerSignal?.aborted) this.#onCallerAbort();
    else callerSignal?.addEventListener('abort', this.#onCallerAbort, { once: true });
    if (timeouts.totalMs > 0) this.#totalTimer = setTimeout(() => this.#expire('total'), timeouts.totalMs);
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  get reason(): AirframeError | undefined {
    return this.#reason;
  }

  /** @throws the reason of a call that has ended before its time */
  throwIfAborted(): void {
    if (this.#reason) throw this.#reason;
  }

  onEnd(tell: (reason: unknown) => void): void {
    this.#listeners.push(tell);
  }

  /** Not to be told any more. */
  offEnd(tell: (reason: unknown) => void): void {
    const at = this.#listeners.indexOf(tell);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  /** Starts the clock of a phase and stops that of the phase before. */
  enter(phase: DeadlinePhase): void {
    this.#phase = phase;
    // Entered for every piece of a stream: one timer serves them all.
    if (phase === 'idle' && this.#timedPhase === 'idle') {
      this.#phaseTimer?.refresh().ref();
      return;
    }
    clearTimeout(this.#phaseTimer);
    this.#phaseTimer = undefined;
    this.#timedPhase = phase;
    let ms = msOf(this.#timeouts, phase);
    if (ms === 0) return;
    if (phase === 'headers') {
      this.#headersUntil ??= performance.now() + ms;
      ms = Math.max(1, this.#headersUntil - performance.now());
    }
    this.#phaseTimer = setTimeout(() => {
      if (this.#phase === phase) this.#expire(phase);
    }, ms);
  }

  /** A sign of life: the clock of the phase starts anew. */
  touch(): void {
    this.#phaseTimer?.refresh();
  }

  /** Stops the clock of the phase, e.g. while the consumer is the one who is slow. */
  pause(): void {
    this.#phaseTimer?.unref();
    this.#phase = undefined;
  }

  /** Ends the call for this reason; a later one changes nothing. */
  abort(reason: AirframeError): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const tell of [...this.#listeners]) tell(reason);
  }

  /** Stops all clocks and lets go of the caller's signal. */
  dispose(): void {
    clearTimeout(this.#phaseTimer);
    clearTimeout(this.#totalTimer);
    this.#callerSignal?.removeEventListener('abort', this.#onCallerAbort);
  }

  readonly #onCallerAbort = (): void => {
    const reason: unknown = this.#callerSignal?.reason;
    this.abort(new AirframeError('aborted', 'the call was aborted', { cause: reason }));
  };

  #expire(clock: Clock): void {
    const ms = msOf(this.#timeouts, clock);
    const during = clock === 'total' && this.#phase ? `, while waiting in phase ${this.#phase}` : '';
    this.abort(
      new AirframeError(
        'timeout',
        `${this.#where}${WAITED_FOR[clock]} within ${ms} ms (timeouts.${clock}Ms)${during}`,
        {
          code: `${clock}_timeout`,
          // The whole call's time is up: there is none left for another try.
          retryable: clock !== 'total',
        },
      ),
    );
  }
}

function msOf({ connectMs, headersMs, idleMs, totalMs }: Required<Timeouts>, clock: Clock): number {
  switch (clock) {
    case 'connect':
      return connectMs;
    case 'headers':
      return headersMs;
    case 'idle':
      return idleMs;
    case 'total':
      return totalMs;
  }
}
