import { AirframeError, type CallSignal, type Timeouts } from '@x/airframe';

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

  /**
   * Fires when the call ends on its own account, for waits that know nothing of it. `done` is to be called after them.
   * @param left fires when the caller goes
   */
  ending(left: CallSignal | undefined): { signal: AbortSignal; done(): void } {
    const controller = new AbortController();
    const onLeft = () => controller.abort(new AirframeError('aborted', 'the call was aborted'));
    if (left?.aborted) onLeft();
    else left?.addEventListener('abort', onLeft, { once: true });
    const { totalMs } = this.timeouts ?? {};
    const timer = totalMs ? setTimeout(() => controller.abort(this.expired()), totalMs) : undefined;
    const done = () => {
      clearTimeout(timer);
      left?.removeEventListener('abort', onLeft);
    };
    return { signal: controller.signal, done };
  }

  /** The error of a call whose time is up. */
  expired(): AirframeError {
    const text = `no provider answered within ${this.#timeouts?.totalMs} ms (timeouts.totalMs)`;
    return new AirframeError('timeout', text, { code: 'total_timeout', retryable: false });
  }
}

/**
 * Waits for work that knows no signal.
 * @throws the signal's reason when it fires first; the work goes on
 */
export function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
