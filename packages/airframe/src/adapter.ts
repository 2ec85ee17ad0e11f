import { Reply } from './assemble/reply.ts';
import type { BackendKind, EndpointSpec, HealthReport, Timeouts } from './endpoint.ts';
import { DEFAULT_TIMEOUTS, endpointSpecSchema } from './endpoint.ts';
import { AirframeError } from './errors.ts';
import type { InferenceStreamEvent } from './events.ts';
import { type InferenceRequest, inferenceRequestSchema, promptChars } from './request.ts';
import { Deadlines } from './transport/deadline.ts';
import { describeIssues } from './validate.ts';

/** What a backend can do. No key is optional: an adapter says yes or no to each. */
export interface Capabilities {
  /** Deltas as they are made; false: the whole reply in one piece. */
  streaming: boolean;
  /** `prompt` without a chat template. */
  rawPrompt: boolean;
  tools: boolean;
  images: boolean;
  reasoning: boolean;
  /** `responseFormat` of type `json_schema`. */
  jsonSchema: boolean;
  /** `seed` makes sampling repeatable. */
  seed: boolean;
}

export interface InferOptions {
  /** Ends the call; the stream closes with `error` (aborted) and `done`. */
  signal?: AbortSignal;
  /** Over the endpoint's own. */
  timeouts?: Timeouts;
}

/** The events of one call. `return()` (a `break` in `for await`) stops the backend. */
export type InferenceStream = AsyncIterableIterator<InferenceStreamEvent, undefined, undefined>;

/** One backend protocol. */
export interface Adapter<Extra extends object = Record<string, unknown>> {
  readonly kind: BackendKind;
  readonly capabilities: Capabilities;
  /** Never throws: every failure is an `error` event, and `done` is always last. */
  streamInfer(
    endpoint: EndpointSpec,
    request: InferenceRequest<Extra>,
    options?: InferOptions,
  ): InferenceStream;
  /** Never throws: what went wrong stands in the report. */
  health(endpoint: EndpointSpec, options?: InferOptions): Promise<HealthReport>;
  /** Gives back what the adapter holds: sockets, a loaded model. */
  close(): Promise<void>;
}

/** What an adapter's `infer` is given. */
export interface InferenceCall<Extra extends object = Record<string, unknown>> {
  readonly endpoint: EndpointSpec;
  readonly request: InferenceRequest<Extra>;
  readonly deadlines: Deadlines;
  /** Fires on the caller's abort, an expired deadline, and when the consumer leaves. */
  readonly signal: AbortSignal;
}

/** What a new adapter has to say; {@link defineAdapter} adds the stream contract. */
export interface AdapterDefinition<Extra extends object> {
  kind: BackendKind;
  capabilities: Capabilities;
  /**
   * Does one inference: writes into `reply` and yields whenever there is something to read. It asks for more
   * only when yielding, so a slow consumer makes it wait. Whatever it throws becomes the `error` event; the
   * reply's own `finish()` is the only way to a good ending.
   */
  infer(call: InferenceCall<Extra>, reply: Reply): AsyncIterable<void>;
  health(endpoint: EndpointSpec, deadlines: Deadlines): Promise<HealthReport['state']>;
  close?(): Promise<void>;
}

/** Makes an adapter that keeps the stream contract, whatever its definition does. */
export function defineAdapter<Extra extends object = Record<string, unknown>>(
  definition: AdapterDefinition<Extra>,
): Adapter<Extra> {
  return {
    kind: definition.kind,
    capabilities: definition.capabilities,
    streamInfer: (endpoint, request, options = {}) =>
      new EventStream(definition, endpoint, request, options) satisfies InferenceStream,
    health: (endpoint, options = {}) => probe(definition, endpoint, options),
    close: async () => definition.close?.(),
  };
}

async function probe<Extra extends object>(
  definition: AdapterDefinition<Extra>,
  endpoint: EndpointSpec,
  options: InferOptions,
): Promise<HealthReport> {
  const checkedAt = Date.now();
  const start = performance.now();
  const deadlines = new Deadlines(
    { ...DEFAULT_TIMEOUTS, ...endpoint.timeouts, ...options.timeouts },
    options.signal,
  );
  try {
    const state = await definition.health(endpoint, deadlines);
    return { state, checkedAt, latencyMs: performance.now() - start };
  } catch (error) {
    const reason = AirframeError.from(error).message;
    return { state: 'unhealthy', checkedAt, latencyMs: performance.now() - start, reason };
  } finally {
    deadlines.dispose();
  }
}

type Step = IteratorResult<InferenceStreamEvent, undefined>;

const END: Step = { done: true, value: undefined };

/**
 * Runs a definition's `infer` and hands out its events. Written by hand, not as an async generator: a waiting
 * event costs no generator resume, and `return()` works while a `next()` is pending (a generator would queue
 * it until the backend speaks again).
 */
class EventStream<Extra extends object> implements InferenceStream {
  readonly #definition: AdapterDefinition<Extra>;
  readonly #endpoint: EndpointSpec;
  readonly #request: InferenceRequest<Extra>;
  readonly #options: InferOptions;
  readonly #reply: Reply;
  #read = 0;
  #deadlines: Deadlines | undefined;
  #source: AsyncIterator<void> | undefined;
  /** How many `next()` calls are waiting, and what the last of them waits for. */
  #waiting = 0;
  #last: Promise<Step> = Promise.resolve(END);
  #left = false;

  constructor(
    definition: AdapterDefinition<Extra>,
    endpoint: EndpointSpec,
    request: InferenceRequest<Extra>,
    options: InferOptions,
  ) {
    this.#definition = definition;
    this.#endpoint = endpoint;
    this.#request = request;
    this.#options = options;
    this.#reply = new Reply(endpoint.name, promptChars(request));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    if (this.#left) return Promise.resolve(END);
    const event = this.#waiting === 0 ? this.#take() : undefined;
    if (event) return Promise.resolve({ done: false, value: event });
    // Calls made while one waits are answered in their order.
    this.#last = this.#waiting++ === 0 ? this.#nextPulled() : this.#last.then(() => this.#nextPulled());
    return this.#last;
  }

  async return(): Promise<Step> {
    this.#left = true;
    // A pull that waits for the backend rejects by this; its source must be closed in any case.
    this.#deadlines?.abort(new AirframeError('aborted', 'the consumer left the stream'));
    await this.#last;
    await this.#close();
    return END;
  }

  async #nextPulled(): Promise<Step> {
    let event = this.#take();
    while (!event && !this.#left && !this.#reply.ended) {
      await this.#pull();
      event = this.#take();
    }
    this.#waiting--;
    return event && !this.#left ? { done: false, value: event } : END;
  }

  #take(): InferenceStreamEvent | undefined {
    const { events } = this.#reply;
    const event = events[this.#read];
    if (event === undefined) return undefined;
    this.#read++;
    if (this.#read === events.length) {
      events.length = 0;
      this.#read = 0;
    }
    return event;
  }

  /** Runs the source until it has written something or has ended. */
  async #pull(): Promise<void> {
    try {
      this.#source ??= this.#start();
      while (this.#reply.events.length === 0) {
        const step = await this.#source.next();
        if (step.done) {
          this.#reply.end();
          break;
        }
      }
    } catch (error) {
      this.#reply.fail(this.#deadlines?.signal.aborted ? this.#deadlines.signal.reason : error);
    }
    if (this.#reply.ended) await this.#close();
  }

  #start(): AsyncIterator<void> {
    const endpoint = endpointSpecSchema.safeParse(this.#endpoint);
    if (!endpoint.success) throw invalid('endpoint', endpoint.error.issues, this.#endpoint);
    const request = inferenceRequestSchema.safeParse(this.#request);
    if (!request.success) throw invalid('request', request.error.issues, this.#request);
    const timeouts = { ...DEFAULT_TIMEOUTS, ...this.#endpoint.timeouts, ...this.#options.timeouts };
    this.#deadlines = new Deadlines(timeouts, this.#options.signal);
    this.#deadlines.signal.throwIfAborted();
    const call = {
      endpoint: this.#endpoint,
      request: this.#request,
      deadlines: this.#deadlines,
      signal: this.#deadlines.signal,
    };
    return this.#definition.infer(call, this.#reply)[Symbol.asyncIterator]();
  }

  async #close(): Promise<void> {
    const source = this.#source;
    this.#source = undefined;
    this.#deadlines?.dispose();
    try {
      await source?.return?.();
    } catch {
      // The stream has its ending already; what closing it throws says nothing more.
    }
  }
}

function invalid(what: string, issues: Parameters<typeof describeIssues>[0], value: unknown): AirframeError {
  return new AirframeError('invalid_request', `invalid ${what}: ${describeIssues(issues, value)}`);
}
