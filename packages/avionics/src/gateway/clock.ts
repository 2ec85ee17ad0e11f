import { AirframeError, type Timeouts } from '@x/airframe';

/** The time of one call, all its providers together. */
export class CallClock {
  #timeouts: Timeouts | undefined;
  readonly #startedTick = performance.now();

  /** @param timeouts the caller's; `totalMs` is for the whole call, from the clock's making */
  limit(timeouts: Timeouts | undefined): void {
    this.#timeouts = timeouts;
  }

  /** Milliseconds since the call began. */
  get elapsedMs(): number {
    return performance.now() - this.#startedTick;
  }

  /** The caller's timeouts for the next provider, with what is left of `totalMs`. */
  get timeouts(): Timeouts | undefined {
    if (!this.#timeouts?.totalMs) return this.#timeouts;
    return { ...this.#timeouts, totalMs: Math.max(1, Math.floor(this.#timeouts.totalMs - this.elapsedMs)) };
  }

  /** @throws AirframeError (timeout) when no time is left for another provider */
  check(): void {
    const { totalMs = 0 } = this.#timeouts ?? {};
    // Timers may fire a little early: less than a millisecond is none.
    if (totalMs <= 0 || totalMs - this.elapsedMs >= 1) return;
    throw this.expired();
  }

  /** The error of a call whose time is up. */
  expired(): AirframeError {
    const text = `no provider answered within ${this.#timeouts?.totalMs} ms (timeouts.totalMs)`;
    return new AirframeError('timeout', text, { code: 'total_timeout', retryable: false });
  }
}
