import type { Adapter, InferenceStream, InferOptions } from '../adapter.ts';
import { DEFAULT_TIMEOUTS, type EndpointSpec, type Timeouts } from '../endpoint.ts';
import { AirframeError, type Attempt } from '../errors.ts';
import type { DoneEvent, InferenceStreamEvent } from '../events.ts';
import type { InferenceRequest } from '../request.ts';
import { sleep } from '../transport/sleep.ts';

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

const DEFAULTS: Required<RetryOptions> = {
  maxRetries: 3,
  baseDelayMs: 250,
  maxDelayMs: 8_000,
  maxRetryAfterMs: 60_000,
};

/**
 * The same adapter, trying again after retryable errors, but only before the first output event. `totalMs` and
 * `headersMs` cover all tries together; every try stands in the attempt log of `done` and of the error.
 */
export function withRetry<Extra extends object>(
  adapter: Adapter<Extra>,
  options: RetryOptions = {},
): Adapter<Extra> {
  const settings = { ...DEFAULTS, ...options };
  return {
    ...adapter,
    streamInfer: (endpoint, request, inferOptions = {}) =>
      new RetryStream(adapter, settings, endpoint, request, inferOptions),
  };
}

type Step = IteratorResult<InferenceStreamEvent, undefined>;

const END: Step = { done: true, value: undefined };

class RetryStream<Extra extends object> implements InferenceStream {
  readonly #adapter: Adapter<Extra>;
  readonly #settings: Required<RetryOptions>;
  readonly #endpoint: EndpointSpec;
  readonly #request: InferenceRequest<Extra>;
  readonly #options: InferOptions;
  readonly #startedTick = performance.now();
  readonly #left = new AbortController();
  #inner: InferenceStream;
  #attempts: Attempt[] = [];
  /** Set when the first event goes out: from then on there is no other try. */
  #committed = false;
  /** The `done` that follows an error already handed out. */
  #ending: DoneEvent | undefined;

  constructor(
    adapter: Adapter<Extra>,
    settings: Required<RetryOptions>,
    endpoint: EndpointSpec,
    request: InferenceRequest<Extra>,
    options: InferOptions,
  ) {
    this.#adapter = adapter;
    this.#settings = settings;
    this.#endpoint = endpoint;
    this.#request = request;
    this.#options = options;
    this.#inner = adapter.streamInfer(endpoint, request, options);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    if (this.#ending) {
      const value = this.#ending;
      this.#ending = undefined;
      return Promise.resolve({ done: false, value });
    }
    if (!this.#committed) return this.#first();
    // The common case costs nothing: no earlier try, nothing to add to the events.
    return this.#attempts.length === 0
      ? this.#inner.next()
      : this.#inner.next().then(step => this.#logged(step));
  }

  async return(): Promise<Step> {
    this.#left.abort();
    this.#ending = undefined;
    await this.#inner.return?.();
    return END;
  }

  /** The first event that may go out, of whichever try brings it. */
  async #first(): Promise<Step> {
    for (;;) {
      const step = await this.#inner.next();
      if (step.done || step.value.type !== 'error') {
        this.#committed = true;
        return this.#logged(step);
      }
      const { error } = step.value;
      const done = await this.#inner.next();
      if (done.done || done.value.type !== 'done') return END;
      this.#attempts.push(...this.#numbered(done.value.attempts));
      const waitMs = this.#waitBeforeRetry(error);
      if (waitMs === undefined) return this.#giveUp(error, done.value);
      const last = this.#attempts.at(-1);
      if (last) last.waitedMs = waitMs;
      if (!(await sleep(waitMs, this.#options.signal, this.#left.signal))) {
        const aborted = new AirframeError('aborted', 'the call was aborted while it waited to try again', {
          cause: error,
        });
        return this.#left.signal.aborted
          ? END
          : this.#giveUp(aborted, { ...done.value, finishReason: 'aborted' });
      }
      const timeouts = this.#timeoutsAfter(0);
      this.#inner = this.#adapter.streamInfer(this.#endpoint, this.#request, { ...this.#options, timeouts });
    }
  }

  /** Milliseconds to wait before another try, or undefined: there is none. */
  #waitBeforeRetry(error: AirframeError): number | undefined {
    const { maxRetries, baseDelayMs, maxDelayMs, maxRetryAfterMs } = this.#settings;
    const tries = this.#attempts.length;
    if (!error.retryable || tries > maxRetries) return undefined;
    if (error.retryAfterMs !== undefined && error.retryAfterMs > maxRetryAfterMs) return undefined;
    // Up to a quarter less, so that many clients do not come back in step.
    const backoff = Math.min(maxDelayMs, baseDelayMs * 2 ** (tries - 1)) * (1 - Math.random() / 4);
    const waitMs = Math.round(error.retryAfterMs ?? backoff);
    const { totalMs, headersMs } = this.#timeoutsAfter(waitMs);
    return totalMs < 0 || headersMs < 0 ? undefined : waitMs;
  }

  /** The call's timeouts less what has been used of them; below 0: used up. */
  #timeoutsAfter(waitMs: number): Required<Timeouts> {
    const all = { ...DEFAULT_TIMEOUTS, ...this.#endpoint.timeouts, ...this.#options.timeouts };
    const used = performance.now() - this.#startedTick + waitMs;
    const left = (ms: number) => (ms === 0 ? 0 : Math.ceil(ms - used) || -1);
    return { ...all, totalMs: left(all.totalMs), headersMs: left(all.headersMs) };
  }

  #giveUp(error: AirframeError, done: DoneEvent): Step {
    this.#committed = true;
    this.#ending = { ...done, attempts: this.#attempts };
    return { done: false, value: { type: 'error', error: error.with({ attempts: this.#attempts }) } };
  }

  /** Puts the earlier tries in front of the attempt log of an event. */
  #logged(step: Step): Step {
    if (step.done || this.#attempts.length === 0) return step;
    const event = step.value;
    if (event.type === 'error') {
      const attempts = [...this.#attempts, ...this.#numbered(event.error.attempts)];
      return { done: false, value: { ...event, error: event.error.with({ attempts }) } };
    }
    if (event.type !== 'done') return step;
    return {
      done: false,
      value: { ...event, attempts: [...this.#attempts, ...this.#numbered(event.attempts)] },
    };
  }

  #numbered(attempts: readonly Attempt[]): Attempt[] {
    return attempts.map(attempt => ({ ...attempt, number: attempt.number + this.#attempts.length }));
  }
}
