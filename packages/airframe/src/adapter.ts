import type { Reply } from './assemble/reply.ts';
import {
  type BackendKind,
  checkEndpoint,
  type EndpointSpec,
  type HealthReport,
  type Timeouts,
  withHeaders,
} from './endpoint.ts';
import { AirframeError, attemptOf } from './errors.ts';
import { Calls, EventStream } from './event-stream.ts';
import {
  type EmbedRequest,
  type EmbedResult,
  embedRequestSchema,
  type ModelInfo,
  type TokenCount,
} from './operations.ts';
import { type InferenceRequest, inferenceRequestSchema } from './request.ts';
import type { InferenceStream } from './serial-stream.ts';
import type { CallSignal, Deadlines } from './transport/deadline.ts';
import { check } from './validate.ts';

/** What a chat may ask of a backend. No key is optional: an adapter says yes or no to each. */
export interface ChatCapabilities {
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

/** All that an adapter can do. The last four say which methods it has, and are worked out from its definition. */
export interface Capabilities extends ChatCapabilities {
  embed: boolean;
  countTokens: boolean;
  listModels: boolean;
  /** false: `health()` always answers `unknown`. */
  health: boolean;
}

/** What one call may say beside its request. */
export interface InferOptions {
  /** Ends the call; the stream closes with `error` (aborted) and `done`. */
  signal?: AbortSignal;
  /** The same for less than an AbortSignal costs, where it is given; then `signal` need not be looked at. */
  ending?: CallSignal;
  /** Over the endpoint's own. */
  timeouts?: Timeouts;
  /**
   * Sent with every HTTP request of the call, over the endpoint's and the adapter's own, and redacted like the
   * endpoint's: `traceparent`, the end user's id. A backend in this process has no use for them.
   */
  headers?: Record<string, string>;
}

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
  /** Vectors for texts. There when `capabilities.embed` is true. @throws AirframeError */
  embed?(endpoint: EndpointSpec, request: EmbedRequest, options?: InferOptions): Promise<EmbedResult>;
  /**
   * The tokens of a request's prompt by the backend's own count, nothing being generated. There when
   * `capabilities.countTokens` is true. @throws AirframeError
   */
  countTokens?(
    endpoint: EndpointSpec,
    request: InferenceRequest<Extra>,
    options?: InferOptions,
  ): Promise<TokenCount>;
  /** What the endpoint offers. There when `capabilities.listModels` is true. @throws AirframeError */
  listModels?(endpoint: EndpointSpec, options?: InferOptions): Promise<ModelInfo[]>;
  /** Ends the calls under way and gives back what the adapter holds: sockets, a loaded model. Later calls fail. */
  close(): Promise<void>;
}

/** What a definition's functions are given: a checked request and its endpoint, and the clocks of the call. */
export interface Call<Request> {
  readonly endpoint: EndpointSpec;
  readonly request: Request;
  readonly deadlines: Deadlines;
  /** Fires on the caller's abort, an expired deadline, and when the consumer leaves. */
  readonly signal: AbortSignal;
}

/** A call of `infer`. */
export type InferenceCall<Extra extends object = Record<string, unknown>> = Call<InferenceRequest<Extra>>;

/** What a new adapter has to say; {@link defineAdapter} adds the stream contract. */
export interface AdapterDefinition<Extra extends object> {
  kind: BackendKind;
  capabilities: ChatCapabilities;
  /**
   * Does one inference: writes into `reply` and yields whenever there is something to read. It runs on only when
   * more is asked for, so a slow consumer makes it wait. Whatever it throws becomes the `error` event; the
   * reply's own `finish()` is the only way to a good ending. When `call.signal` fires the stream ends at once;
   * the definition has to stop the backend. A promise is for what comes before the reading.
   */
  infer(call: InferenceCall<Extra>, reply: Reply): AsyncIterable<void> | Promise<AsyncIterable<void>>;
  /** Without it, and without each that follows, the adapter cannot do it; the manifest says so. */
  health?(endpoint: EndpointSpec, deadlines: Deadlines): Promise<HealthReport['state']>;
  /** Vectors for texts. */
  embed?(call: Call<EmbedRequest>): Promise<EmbedResult>;
  /** Tokens of the request's prompt; nothing is generated. */
  countTokens?(call: InferenceCall<Extra>): Promise<TokenCount>;
  /** The models that the endpoint offers. */
  listModels?(endpoint: EndpointSpec, deadlines: Deadlines): Promise<ModelInfo[]>;
  /** Gives back what the adapter holds; the calls under way have been ended by then. */
  close?(): Promise<void>;
}

/** Makes an adapter that keeps the stream contract, whatever its definition does. */
export function defineAdapter<Extra extends object = Record<string, unknown>>(
  definition: AdapterDefinition<Extra>,
): Adapter<Extra> {
  const calls = new Calls();
  const { health, embed, countTokens, listModels } = definition;
  const adapter: Adapter<Extra> = {
    kind: definition.kind,
    capabilities: {
      ...definition.capabilities,
      embed: embed !== undefined,
      countTokens: countTokens !== undefined,
      listModels: listModels !== undefined,
      health: health !== undefined,
    },
    streamInfer: (endpoint, request, options = {}) =>
      new EventStream(definition, calls, endpoint, request, options),
    health: (endpoint, options = {}) => probe(definition, calls, endpoint, options),
    close: async () => {
      calls.close();
      await definition.close?.();
    },
  };
  if (embed) {
    adapter.embed = (endpoint, request, options = {}) =>
      perform(calls, endpoint, options, call => {
        check(embedRequestSchema, request, 'request');
        return embed({ ...call, request });
      });
  }
  if (countTokens) {
    adapter.countTokens = (endpoint, request, options = {}) =>
      perform(calls, endpoint, options, call => {
        check(inferenceRequestSchema, request, 'request');
        return countTokens({ ...call, request });
      });
  }
  if (listModels) {
    adapter.listModels = (endpoint, options = {}) =>
      perform(calls, endpoint, options, call => listModels(call.endpoint, call.deadlines));
  }
  return adapter;
}

/** Runs what answers with one value, within the call's deadlines whether it heeds them or not. */
async function perform<T>(
  calls: Calls,
  endpoint: EndpointSpec,
  options: InferOptions,
  work: (call: Omit<Call<never>, 'request'>) => Promise<T>,
): Promise<T> {
  const startedAt = Date.now();
  const started = performance.now();
  let deadlines: Deadlines | undefined;
  try {
    checkEndpoint(endpoint);
    const sent = withHeaders(endpoint, options.headers);
    deadlines = calls.begin(sent, options);
    const { signal } = deadlines;
    signal.throwIfAborted();
    const interrupted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    return await Promise.race([work({ endpoint: sent, deadlines, signal }), interrupted]);
  } catch (cause) {
    const error = AirframeError.from(deadlines?.signal.aborted ? deadlines.signal.reason : cause);
    const durationMs = performance.now() - started;
    throw error.with({
      attempts: [attemptOf({ endpoint: String(endpoint?.name), startedAt, durationMs }, error)],
    });
  } finally {
    if (deadlines) calls.end(deadlines);
  }
}

async function probe<Extra extends object>(
  { health }: AdapterDefinition<Extra>,
  calls: Calls,
  endpoint: EndpointSpec,
  options: InferOptions,
): Promise<HealthReport> {
  const checkedAt = Date.now();
  const start = performance.now();
  if (!health)
    return { state: 'unknown', checkedAt, latencyMs: 0, reason: 'the adapter has no health check' };
  try {
    const state = await perform(calls, endpoint, options, call => health(call.endpoint, call.deadlines));
    return { state, checkedAt, latencyMs: performance.now() - start };
  } catch (error) {
    const reason = AirframeError.from(error).message;
    return { state: 'unhealthy', checkedAt, latencyMs: performance.now() - start, reason };
  }
}
