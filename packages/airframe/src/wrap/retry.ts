import * as z from 'zod';
import type { Adapter, InferOptions } from '../adapter.ts';
import type { EndpointSpec } from '../endpoint.ts';
import { AirframeError, type Attempt } from '../errors.ts';
import type { DoneEvent, InferenceStreamEvent } from '../events.ts';
import type { InferenceRequest } from '../request.ts';
import { END, type InferenceStream, SerialStream, type Step } from '../serial-stream.ts';
import { sleep } from '../transport/sleep.ts';
import { check } from '../validate.ts';
import { type RetryOptions, RetrySchedule } from './retry-schedule.ts';

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
 * The same adapter, trying again after retryable errors; a stream only before its first output event. `totalMs` and
 * `headersMs` cover all tries together; every try stands in the attempt log of `done` and of the error.
 *
 * @throws AirframeError (invalid_request) for options that are no numbers in range
 */
export function withRetry<Extra extends object>(
  adapter: Adapter<Extra>,
  options: RetryOptions = {},
): Adapter<Extra> {
  const settings = check(retryOptionsSchema, { ...DEFAULTS, ...options }, 'retry options');
  const { embed, countTokens, listModels } = adapter;
  return {
    kind: adapter.kind,
    capabilities: adapter.capabilities,
    streamInfer: (endpoint, request, inferOptions = {}) =>
      new RetryStream(adapter, settings, endpoint, request, inferOptions),
    health: (endpoint, inferOptions) => adapter.health(endpoint, inferOptions),
    ...(embed && {
      embed: (endpoint, request, inferOptions = {}) =>
        retrying(settings, endpoint, inferOptions, left => embed.call(adapter, endpoint, request, left)),
    }),
    ...(countTokens && {
      countTokens: (endpoint, request, inferOptions = {}) =>
        retrying(settings, endpoint, inferOptions, left =>
          countTokens.call(adapter, endpoint, request, left),
        ),
    }),
    ...(listModels && {
      listModels: (endpoint, inferOptions = {}) =>
        retrying(settings, endpoint, inferOptions, left => listModels.call(adapter, endpoint, left)),
    }),
    close: () => adapter.close(),
  };
}

/** A call that answers with one value. */
async function retrying<T>(
  settings: Required<RetryOptions>,
  endpoint: EndpointSpec,
  options: InferOptions,
  work: (options: InferOptions) => Promise<T>,
): Promise<T> {
  const schedule = new RetrySchedule(settings, endpoint, options);
  const attempts: Attempt[] = [];
  let left: InferOptions | undefined = options;
  for (;;) {
    try {
      return await work(left);
    } catch (cause) {
      const error = AirframeError.from(cause);
      attempts.push(...numbered(error.attempts, attempts.length));
      const waitMs = schedule.waitBeforeRetry(error);
      if (waitMs === undefined) throw error.with({ attempts });
      noteWait(attempts, waitMs);
      if (!(await sleep(waitMs, options.ending ?? options.signal)))
        throw abortedWhileWaiting(error).with({ attempts });
      left = schedule.nextTry();
      if (!left) throw error.with({ attempts });
    }
  }
}

function noteWait(attempts: Attempt[], waitMs: number): void {
  const last = attempts.at(-1);
  if (last) last.waitedMs = waitMs;
}

function numbered(attempts: readonly Attempt[], before: number): readonly Attempt[] {
  if (before === 0) return attempts;
  return attempts.map(attempt => ({ ...attempt, number: attempt.number + before }));
}

function abortedWhileWaiting(cause: AirframeError): AirframeError {
  return new AirframeError('aborted', 'the call was aborted while it waited to try again', { cause });
}

class RetryStream<Extra extends object> extends SerialStream {
  readonly #adapter: Adapter<Extra>;
  readonly #schedule: RetrySchedule;
  readonly #endpoint: EndpointSpec;
  readonly #request: InferenceRequest<Extra>;
  readonly #options: InferOptions;
  #left = false;
  /** Ends the wait for another try. */
  #leaving: AbortController | undefined;
  #inner: InferenceStream;
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
    this.#schedule = new RetrySchedule(settings, endpoint, options);
    this.#endpoint = endpoint;
    this.#request = request;
    this.#options = options;
    this.#inner = adapter.streamInfer(endpoint, request, options);
  }

  override next(): Promise<Step> {
    // The common case costs nothing: no earlier try, so nothing to add to any event.
    return this.#committed && this.#attempts.length === 0 ? this.#inner.next() : super.next();
  }

  override poll(): InferenceStreamEvent | undefined {
    return this.#committed && this.#attempts.length === 0 ? this.#inner.poll?.() : super.poll();
  }

  async return(): Promise<Step> {
    this.#left = true;
    this.#leaving?.abort();
    await this.#inner.return?.();
    await this.settled();
    return END;
  }

  protected ready(): Step | undefined {
    if (this.#left) return END;
    const value = this.#ending;
    this.#ending = undefined;
    return value && { done: false, value };
  }

  protected pull(): Promise<Step> {
    return this.#committed ? this.#inner.next().then(step => this.#logged(step)) : this.#first();
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
      this.#attempts.push(...numbered(done.attempts, this.#attempts.length));
      const waitMs = this.#schedule.waitBeforeRetry(error);
      if (waitMs === undefined) return this.#giveUp(error, done);
      noteWait(this.#attempts, waitMs);
      this.#leaving ??= new AbortController();
      const { ending = this.#options.signal } = this.#options;
      if (!(await sleep(waitMs, ending, this.#leaving.signal))) {
        if (this.#left) return END;
        return this.#giveUp(abortedWhileWaiting(error), { ...done, finishReason: 'aborted' });
      }
      // The wait may have taken longer than was asked for.
      const options = this.#schedule.nextTry();
      if (!options) return this.#giveUp(error, done);
      this.#inner = this.#adapter.streamInfer(this.#endpoint, this.#request, options);
    }
  }

  #giveUp(error: AirframeError, done: DoneEvent): Step {
    this.#committed = true;
    this.#ending = { ...done, attempts: this.#attempts, timings: this.#timingsOf(done) };
    return { done: false, value: { type: 'error', error: error.with({ attempts: this.#attempts }) } };
  }

  /** Puts the earlier tries in front of the attempt log of an event. */
  #logged(step: Step): Step {
    if (this.#attempts.length === 0) return step;
    const event = step.value;
    if (event?.type === 'error') {
      const attempts = [...this.#attempts, ...numbered(event.error.attempts, this.#attempts.length)];
      return { done: false, value: { ...event, error: event.error.with({ attempts }) } };
    }
    if (event?.type !== 'done') return step;
    const attempts = [...this.#attempts, ...numbered(event.attempts, this.#attempts.length)];
    return { done: false, value: { ...event, attempts, timings: this.#timingsOf(event) } };
  }

  /** Of the whole call, earlier tries and waits included. */
  #timingsOf({ timings }: DoneEvent): DoneEvent['timings'] {
    const totalMs = this.#schedule.elapsedMs();
    const { firstTokenMs } = timings;
    const before = totalMs - timings.totalMs;
    return {
      ...timings,
      totalMs,
      ...(firstTokenMs === undefined ? {} : { firstTokenMs: firstTokenMs + before }),
    };
  }
}
