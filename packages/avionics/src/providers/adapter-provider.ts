import {
  type Adapter,
  AirframeError,
  collect,
  type EmbedRequest,
  type EmbedResult,
  type EndpointSpec,
  type HealthState,
  type InferenceRequest,
  type InferenceStream,
  type InferOptions,
  type ModelInfo,
  type TokenCount,
} from '@x/airframe';
import { LLMProvider, type LLMProviderOptions } from './base.ts';
import { defined, type GenerateOptions, type Prompt, requestOf } from './options.ts';
import type { ProviderStats } from './stats.ts';

/** Longest wait for an answer to a health probe, in milliseconds. */
const HEALTH_TIMEOUT_MS = 5_000;

/** What a request gets where it says nothing. */
export type RequestDefaults = Pick<
  InferenceRequest,
  'temperature' | 'maxTokens' | 'topP' | 'stop' | 'reasoning' | 'extra'
>;

/** What {@link AdapterProvider} takes. */
export interface AdapterProviderOptions extends LLMProviderOptions {
  /** Type of the provider, e.g. `llamaserver`. */
  name: string;
  /** Wrapped in `withRetry` already, where retries are wanted. */
  adapter: Adapter;
  endpoint: EndpointSpec;
  defaults?: RequestDefaults;
  /** false: no temperature is ever sent. Default true. */
  sendTemperature?: boolean;
  /** What the user can do about an error, by its code or else its category. */
  advice?: Readonly<Record<string, string>>;
  /** Variable that would name a model, for a backend that answers no call without one. */
  modelVariable?: string;
  /** States in which it can be called. Default `healthy` alone. */
  readyStates?: readonly HealthState[];
  /** More for `getStats().adapter`; no secrets. */
  facts?: Record<string, unknown>;
}

const NOTHING: RequestDefaults = {};

/** A provider over an airframe adapter and one endpoint. Does no I/O of its own. */
export class AdapterProvider extends LLMProvider {
  readonly name: string;
  readonly #options: AdapterProviderOptions;

  constructor(options: AdapterProviderOptions) {
    super(options);
    this.name = options.name;
    this.#options = options;
  }

  override get defaultModel(): string | undefined {
    return this.#options.endpoint.model;
  }

  override get baseUrl(): string {
    return this.#options.endpoint.baseUrl;
  }

  override get supportsStreaming(): boolean {
    return this.#options.adapter.capabilities.streaming;
  }

  override get supportsRawPrompt(): boolean {
    return this.#options.adapter.capabilities.rawPrompt;
  }

  override async generate(model: string, prompt: Prompt, options: GenerateOptions = {}): Promise<string> {
    const { signal, timeouts } = options;
    const request = this.prepare(requestOf(model, prompt, options));
    // As a stream: a deadline between bytes tells a slow answer from a dead backend, one for the whole cannot.
    const { text } = await collect(this.infer(request, defined({ signal, timeouts })));
    return text;
  }

  /** @throws AirframeError (invalid_request) when the backend needs a model and nobody has named one */
  override prepare(request: InferenceRequest): InferenceRequest {
    const { defaults = NOTHING, sendTemperature = true, modelVariable } = this.#options;
    if (modelVariable !== undefined && (request.model ?? this.defaultModel) === undefined) {
      throw new AirframeError('invalid_request', `provider ${this.name} was given no model`, {
        code: 'configuration',
        remedy: `name one in the call or set ${modelVariable}`,
      });
    }
    if (defaults === NOTHING && sendTemperature) return request;
    const prepared: InferenceRequest = Object.assign({}, defaults, request);
    if (defaults.extra) prepared.extra = { ...defaults.extra, ...request.extra };
    if (!sendTemperature) delete prepared.temperature;
    return prepared;
  }

  override infer(request: InferenceRequest, options: InferOptions = {}): InferenceStream {
    const { adapter, endpoint } = this.#options;
    return this.observe(adapter.streamInfer(endpoint, request, options), request);
  }

  override async embed(request: EmbedRequest, options: InferOptions = {}): Promise<EmbedResult> {
    const { adapter, endpoint } = this.#options;
    const { embed } = adapter;
    if (!embed) return this.cannot('embed');
    return this.observeEmbed(request.model, () => embed.call(adapter, endpoint, request, options));
  }

  /** Counts what {@link infer} would send: the request as it is, so {@link prepare} it first if that matters. */
  override async countTokens(request: InferenceRequest, options: InferOptions = {}): Promise<TokenCount> {
    const { adapter, endpoint } = this.#options;
    const { countTokens } = adapter;
    if (!countTokens) return this.cannot('countTokens');
    return this.advising(() => countTokens.call(adapter, endpoint, request, options));
  }

  override async listModels(options: InferOptions = {}): Promise<ModelInfo[]> {
    const { adapter, endpoint } = this.#options;
    const { listModels } = adapter;
    if (!listModels) return this.cannot('listModels');
    return this.advising(() => listModels.call(adapter, endpoint, options));
  }

  override async healthCheck(): Promise<boolean> {
    const { adapter, endpoint, readyStates = ['healthy'] } = this.#options;
    const timeouts = {
      connectMs: HEALTH_TIMEOUT_MS,
      headersMs: HEALTH_TIMEOUT_MS,
      idleMs: HEALTH_TIMEOUT_MS,
    };
    const { state, reason } = await adapter.health(endpoint, { timeouts });
    const ready = readyStates.includes(state);
    if (!ready) this.logger.warn(`${this.name} is ${state}`, { endpoint: endpoint.name, reason });
    return ready;
  }

  /** Counts, tokens, cost and times of the calls so far, and the endpoint they go to. */
  override getStats(): ProviderStats {
    const { adapter, endpoint, facts } = this.#options;
    const { name, model, timeouts, capacity } = endpoint;
    const described = { kind: adapter.kind, endpoint: name, baseUrl: publicUrl(endpoint.baseUrl) };
    return {
      ...super.getStats(),
      adapter: { ...described, ...defined({ model, timeouts, capacity }), ...facts },
    };
  }

  override async close(): Promise<void> {
    await this.#options.adapter.close();
  }

  protected override adviceFor(error: AirframeError): string | undefined {
    const { advice = {} } = this.#options;
    return (error.code && advice[error.code]) || advice[error.category];
  }
}

/** A URL as a log may show it: without user name, password and query. */
export function publicUrl(url: string): string {
  if (!URL.canParse(url)) return url;
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}
