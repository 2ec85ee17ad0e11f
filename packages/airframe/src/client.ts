import type { Adapter, InferOptions } from './adapter.ts';
import { defineAdapter } from './adapter.ts';
import { collect, type InferenceResult } from './collect.ts';
import type { EndpointSpec, HealthReport } from './endpoint.ts';
import { AirframeError } from './errors.ts';
import type { EmbedRequest, EmbedResult, ModelInfo, TokenCount } from './operations.ts';
import type { InferenceRequest } from './request.ts';
import type { InferenceStream } from './serial-stream.ts';

/** What {@link AirframeClient} takes. */
export interface AirframeClientOptions {
  /** One adapter a backend kind; wrap them in `withRetry` where retries are wanted. */
  adapters: readonly Adapter[];
}

/** One door to several backends: the endpoint's kind chooses the adapter. */
export class AirframeClient {
  readonly #adapters: ReadonlyMap<string, Adapter>;

  constructor(options: AirframeClientOptions) {
    this.#adapters = new Map(options.adapters.map(adapter => [adapter.kind, adapter]));
  }

  /** Never throws; a kind without an adapter is an `error` event, too. */
  streamInfer(endpoint: EndpointSpec, request: InferenceRequest, options?: InferOptions): InferenceStream {
    return this.#adapter(endpoint).streamInfer(endpoint, request, options);
  }

  /**
   * The whole reply at once.
   * @throws CollectError when the call failed
   */
  infer(endpoint: EndpointSpec, request: InferenceRequest, options?: InferOptions): Promise<InferenceResult> {
    return collect(this.streamInfer(endpoint, { stream: false, ...request }, options));
  }

  /** How the endpoint is, by a look at it now. A backend that does not answer is `unhealthy`, not an error. */
  health(endpoint: EndpointSpec, options?: InferOptions): Promise<HealthReport> {
    return this.#adapter(endpoint).health(endpoint, options);
  }

  /** @throws AirframeError; of code `unsupported` where the adapter cannot do it */
  async embed(endpoint: EndpointSpec, request: EmbedRequest, options?: InferOptions): Promise<EmbedResult> {
    const adapter = this.#adapter(endpoint);
    return adapter.embed?.(endpoint, request, options) ?? cannot(endpoint, 'embed');
  }

  /** @throws AirframeError; of code `unsupported` where the adapter cannot do it */
  async countTokens(
    endpoint: EndpointSpec,
    request: InferenceRequest,
    options?: InferOptions,
  ): Promise<TokenCount> {
    const adapter = this.#adapter(endpoint);
    return adapter.countTokens?.(endpoint, request, options) ?? cannot(endpoint, 'countTokens');
  }

  /** @throws AirframeError; of code `unsupported` where the adapter cannot do it */
  async listModels(endpoint: EndpointSpec, options?: InferOptions): Promise<ModelInfo[]> {
    const adapter = this.#adapter(endpoint);
    return adapter.listModels?.(endpoint, options) ?? cannot(endpoint, 'listModels');
  }

  /** Closes all adapters. */
  async close(): Promise<void> {
    await Promise.all([...this.#adapters.values()].map(adapter => adapter.close()));
  }

  #adapter(endpoint: EndpointSpec): Adapter {
    return this.#adapters.get(endpoint.backendKind) ?? missingAdapter(endpoint, [...this.#adapters.keys()]);
  }
}

function cannot(endpoint: EndpointSpec, operation: 'embed' | 'countTokens' | 'listModels'): never {
  const problem = `the adapter ${endpoint.backendKind} of endpoint ${endpoint.name} has no ${operation}`;
  throw new AirframeError('invalid_request', problem, {
    code: 'unsupported',
    remedy: `look at capabilities.${operation} before calling it`,
  });
}

/** Stands in for an adapter that is not there, so that its absence keeps the stream contract as well. */
function missingAdapter(endpoint: EndpointSpec, known: string[]): Adapter {
  const fail = (): never => {
    const kinds = known.join(', ') || 'none';
    throw new AirframeError(
      'invalid_request',
      `endpoint ${endpoint.name} has backendKind ${JSON.stringify(endpoint.backendKind)}, for which this client has no adapter; it has: ${kinds}`,
      { code: 'configuration' },
    );
  };
  const nothing = { streaming: false, rawPrompt: false, tools: false, images: false, reasoning: false };
  return defineAdapter({
    kind: endpoint.backendKind,
    capabilities: { ...nothing, jsonSchema: false, seed: false },
    infer: fail,
    health: fail,
    embed: fail,
    countTokens: fail,
    listModels: fail,
  });
}
