import type { InferOptions } from '../adapter.ts';
import { type EndpointSpec, resolveTimeouts, type Timeouts } from '../endpoint.ts';
import type { AirframeError } from '../errors.ts';

/** How often and how long {@link withRetry} tries again. */
export interface RetryOptions {
  /** Tries after the first. Default 3. */
  maxRetries?: number;
  /** First wait in milliseconds, when the backend names none; doubles each time. Default 250. */
  baseDelayMs?: number;
  /** Longest wait of our own choice, in milliseconds. Default 8,000. */
  maxDelayMs?: number;
  /** A backend that asks for a longer wait is given up at once, never tried sooner. Milliseconds, default 60,000. */
  maxRetryAfterMs?: number;
}

/** When a call may be tried again, and with how much of its time. One for each call. */
export class RetrySchedule {
  readonly #settings: Required<RetryOptions>;
  readonly #endpoint: EndpointSpec;
  readonly #options: InferOptions;
  readonly #startedTick = performance.now();
  #tries = 1;

  constructor(settings: Required<RetryOptions>, endpoint: EndpointSpec, options: InferOptions) {
    this.#settings = settings;
    this.#endpoint = endpoint;
    this.#options = options;
  }

  /** Milliseconds since the call began. */
  elapsedMs(): number {
    return performance.now() - this.#startedTick;
  }

  /** Milliseconds to wait before another try, or undefined: there is none. */
  waitBeforeRetry({ retryable, retryAfterMs }: AirframeError): number | undefined {
    const { maxRetries, baseDelayMs, maxDelayMs, maxRetryAfterMs } = this.#settings;
    if (!retryable || this.#tries > maxRetries) return undefined;
    if (retryAfterMs !== undefined && retryAfterMs > maxRetryAfterMs) return undefined;
    // Up to a quarter less, so that many clients do not come back in step.
    const backoff = Math.min(maxDelayMs, baseDelayMs * 2 ** (this.#tries - 1)) * (1 - Math.random() / 4);
    const waitMs = Math.ceil(retryAfterMs ?? backoff);
    return this.#timeoutsLeft(waitMs) ? waitMs : undefined;
  }

  /** The options of the next try, which begins now; undefined when the call's time is used up. */
  nextTry(): InferOptions | undefined {
    const timeouts = this.#timeoutsLeft(0);
    if (!timeouts) return undefined;
    this.#tries++;
    return { ...this.#options, timeouts };
  }

  /** The call's timeouts less what has been used of them; undefined when one is used up. */
  #timeoutsLeft(waitMs: number): Required<Timeouts> | undefined {
    const all = resolveTimeouts(this.#endpoint.timeouts, this.#options.timeouts);
    const used = this.elapsedMs() + waitMs;
    const left = (ms: number) => (ms === 0 ? 0 : Math.ceil(ms - used));
    const timeouts = { ...all, totalMs: left(all.totalMs), headersMs: left(all.headersMs) };
    const over = (key: 'totalMs' | 'headersMs') => all[key] !== 0 && timeouts[key] <= 0;
    return over('totalMs') || over('headersMs') ? undefined : timeouts;
  }
}
