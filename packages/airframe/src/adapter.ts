import type { Reply } from './assemble/reply.ts';
import type { BackendKind, EndpointSpec, HealthReport, Timeouts } from './endpoint.ts';
import { AirframeError } from './errors.ts';
import { Calls, EventStream } from './event-stream.ts';
import type { InferenceRequest } from './request.ts';
import type { InferenceStream } from './serial-stream.ts';
import type { Deadlines } from './transport/deadline.ts';

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
  /** Ends the calls under way and gives back what the adapter holds: sockets, a loaded model. Later calls fail. */
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
   * Does one inference: writes into `reply` and yields whenever there is something to read. It runs on only when
   * more is asked for, so a slow consumer makes it wait. Whatever it throws becomes the `error` event; the
   * reply's own `finish()` is the only way to a good ending. When `call.signal` fires the stream ends at once;
   * the definition has to stop the backend.
   */
  infer(call: InferenceCall<Extra>, reply: Reply): AsyncIterable<void>;
  health(endpoint: EndpointSpec, deadlines: Deadlines): Promise<HealthReport['state']>;
  close?(): Promise<void>;
}

/** Makes an adapter that keeps the stream contract, whatever its definition does. */
export function defineAdapter<Extra extends object = Record<string, unknown>>(
  definition: AdapterDefinition<Extra>,
): Adapter<Extra> {
  const calls = new Calls();
  return {
    kind: definition.kind,
    capabilities: definition.capabilities,
    streamInfer: (endpoint, request, options = {}) =>
      new EventStream(definition, calls, endpoint, request, options),
    health: (endpoint, options = {}) => probe(definition, calls, endpoint, options),
    close: async () => {
      calls.close();
      await definition.close?.();
    },
  };
}

async function probe<Extra extends object>(
  definition: AdapterDefinition<Extra>,
  calls: Calls,
  endpoint: EndpointSpec,
  options: InferOptions,
): Promise<HealthReport> {
  const checkedAt = Date.now();
  const start = performance.now();
  let deadlines: Deadlines | undefined;
  try {
    deadlines = calls.begin(endpoint, options);
    const state = await definition.health(endpoint, deadlines);
    return { state, checkedAt, latencyMs: performance.now() - start };
  } catch (error) {
    const reason = AirframeError.from(error).message;
    return { state: 'unhealthy', checkedAt, latencyMs: performance.now() - start, reason };
  } finally {
    if (deadlines) calls.end(deadlines);
  }
}
