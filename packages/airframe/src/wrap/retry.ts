import { z } from 'zod';
import type { Adapter, InferOptions } from '../adapter.ts';
import { type EndpointSpec, resolveTimeouts, type Timeouts } from '../endpoint.ts';
import { AirframeError, type Attempt } from '../errors.ts';
import type { DoneEvent } from '../events.ts';
import type { InferenceRequest } from '../request.ts';
import { END, type InferenceStream, SerialStream, type Step } from '../serial-stream.ts';
import { sleep } from '../transport/sleep.ts';
import { check } from '../validate.ts';

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

const milliseconds = z.number().min(0);
const retryOptionsSchema: z.ZodType<Required<RetryOptions>> = z.object({
  maxRetries: z.int().min(0),
  baseDelayMs: milliseconds,
  maxDelayMs: milliseconds,
  maxRetryAfterMs: milliseconds,
});

const DEFAULTS: Required<RetryOptions> = {
  maxRetries: 3,
  baseDelayMs: 250,
  maxDelayMs: 8_000,
  maxRetryAfterMs: 60_000,
};

/**
 * The same adapter, trying again after retryable errors, but only before the first output event. `totalMs` and
 * `headersMs` cover all tries together; every try stands in the attempt log of `done` and of the error.
 *
 * @throws AirframeError (invalid_request) for options that are no numbers in range
 */
export function withRetry<Extra extends object>(
  adapter: Adapter<Extra>,
  options: RetryOptions = {},
): Adapter<Extra> {
  const settings = check(retryOptionsSchema, { ...DEFAULTS, ...options }, 'retry options');
  return {
    kind: adapter.kind,
    capabilities: adapter.capabilities,
    streamInfer: (endpoint, request, inferOptions = {}) =>
      new RetryStream(adapter, settings, endpoint, request, inferOptions),
    health: (endpoint, inferOptions) => adapter.health(endpoint, inferOptions),
    close: () => adapter.close(),
  };
}

class RetryStream<Extra extends object> extends SerialStream {
  readonly #adapter: Adapter<Extra>;
  readonly #settings: Required<RetryOptions>;
  readonly #endpoint: EndpointSpec;
  readonly #request: InferenceRequest<Extra>;
  readonly #options: InferOptions;
  readonly #startedTick = performance.now();
  readonly #left = new AbortController();
  #inner: InferenceStream;
  #tries = 1;
  /** The log of the tries that failed. */
  #attempts: Attempt[] = [];
  /** Set by the first event that goes out: from then on there is no other try. */
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
    super();
    this.#adapter = adapter;
    this.#settings = settings;
    this.#endpoint = endpoint;
    this.#request = request;
    this.#options = options;
    this.#inner = adapter.streamInfer(endpoint, request, options);
  }

  override next(): Promise<Step> {
    // The common case costs nothing: no earlier try, so nothing to add to any event.
    return this.#committed && this.#attempts.length === 0 ? this.#inner.next() : super.next();
  }

  async return(): Promise<Step> {
    this.#left.abort();
    await this.#inner.return?.();
    await this.settled();
    return END;
  }

  protected ready(): Step | undefined {
    if (this.#left.signal.aborted) return END;
    const value = this.#ending;
    this.#ending = undefined;
    return value && { done: false, value };
  }

  protected async pull(): Promise<Step> {
    return this.#committed ? this.#logged(await this.#inner.next()) : this.#first();
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
      const { value: done } = await this.#inner.next();
      if (done?.type !== 'done') return END;
      this.#attempts.push(...this.#numbered(done.attempts));
      const waitMs = this.#waitBeforeRetry(error);
      if (waitMs === undefined) return this.#giveUp(error, done);
      const last = this.#attempts.at(-1);
      if (last) last.waitedMs = waitMs;
      if (!(await sleep(waitMs, this.#options.signal, this.#left.signal))) {
        if (this.#left.signal.aborted) return END;
        const problem = 'the call was aborted while it waited to try again';
        const aborted = new AirframeError('aborted', problem, { cause: error });
        return this.#giveUp(aborted, { ...done, finishReason: 'aborted' });
      }
      // The wait may have taken longer than was asked for.
      const timeouts = this.#timeoutsLeft(0);
      if (!timeouts) return this.#giveUp(error, done);
      this.#tries++;
      const options = { ...this.#options, timeouts };
      this.#inner = this.#adapter.streamInfer(this.#endpoint, this.#request, options);
    }
  }

  /** Milliseconds to wait before another try, or undefined: there is none. */
  #waitBeforeRetry({ retryable, retryAfterMs }: AirframeError): number | undefined {
    const { maxRetries, baseDelayMs, maxDelayMs, maxRetryAfterMs } = this.#settings;
    if (!retryable || this.#tries > maxRetries) return undefined;
    if (retryAfterMs !== undefined && retryAfterMs > maxRetryAfterMs) return undefined;
    // Up to a quarter less, so that many clients do not come back in step.
    const backoff = Math.min(maxDelayMs, baseDelayMs * 2 ** (this.#tries - 1)) * (1 - Math.random() / 4);
    const waitMs = Math.ceil(retryAfterMs ?? backoff);
    return this.#timeoutsLeft(waitMs) ? waitMs : undefined;
  }

  /** The call's timeouts less what has been used of them; undefined when one is used up. */
  #timeoutsLeft(waitMs: number): Required<Timeouts> | undefined {
    const all = resolveTimeouts(this.#endpoint.timeouts, this.#options.timeouts);
    const used = performance.now() - this.#startedTick + waitMs;
    const left = (ms: number) => (ms === 0 ? 0 : Math.ceil(ms - used));
    const timeouts = { ...all, totalMs: left(all.totalMs), headersMs: left(all.headersMs) };
    const over = (key: 'totalMs' | 'headersMs') => all[key] !== 0 && timeouts[key] <= 0;
    return over('totalMs') || over('headersMs') ? undefined : timeouts;
  }

  #giveUp(error: AirframeError, done: DoneEvent): Step {
    this.#committed = true;
    this.#ending = { ...done, attempts: this.#attempts, timings: this.#timingsOf(done) };
    return { done: false, value: { type: 'error', error: error.with({ attempts: this.#attempts }) } };
  }

  /** Puts the earlier tries in front of the attempt log of an event. */
  #logged(step: Step): Step {
    const event = step.value;
    if (event?.type === 'error') {
      const attempts = [...this.#attempts, ...this.#numbered(event.error.attempts)];
      return { done: false, value: { ...event, error: event.error.with({ attempts }) } };
    }
    if (event?.type !== 'done') return step;
    const attempts = [...this.#attempts, ...this.#numbered(event.attempts)];
    return { done: false, value: { ...event, attempts, timings: this.#timingsOf(event) } };
  }

  /** Of the whole call, earlier tries and waits included. */
  #timingsOf({ timings }: DoneEvent): DoneEvent['timings'] {
    const totalMs = performance.now() - this.#startedTick;
    const { firstTokenMs } = timings;
    const before = totalMs - timings.totalMs;
    return {
      ...timings,
      totalMs,
      ...(firstTokenMs === undefined ? {} : { firstTokenMs: firstTokenMs + before }),
    };
  }

  #numbered(attempts: readonly Attempt[]): Attempt[] {
    return attempts.map(attempt => ({ ...attempt, number: attempt.number + this.#attempts.length }));
  }
}
