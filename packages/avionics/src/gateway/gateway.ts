import { AirframeError, type TokenCount } from '@x/airframe';
import type { CostCalculator } from '../cost/calculator.ts';
import { knownType, LLMFactory } from '../factory.ts';
import type { CallLimiter } from '../limits/limiter.ts';
import { type Logger, loggerOf } from '../logger.ts';
import type { NodePool } from '../nodes/pool.ts';
import type { RequestDefaults } from '../providers/adapter-provider.ts';
import type { LLMProvider } from '../providers/base.ts';
import type { OnLoadProgress } from '../providers/llamacpp.ts';
import { defined } from '../providers/options.ts';
import { BreakerBoard, type BreakerOptions } from '../routing/breaker.ts';
import { noProvider } from '../routing/fallback.ts';
import { resolveAgent } from '../settings/agents.ts';
import { resolveCall } from '../settings/choice.ts';
import type { Settings } from '../settings/settings.ts';
import type { ReplicaStore } from '../store/replica-store.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import { ResponseCache, type ResponseCacheOptions } from './cache.ts';
import { GatewayCall } from './call.ts';
import { ChunkStream, type CompletionStream } from './chunk-stream.ts';
import type { CallContext, Destination } from './context.ts';
import { type EmbeddingRequest, type EmbeddingResponse, embed } from './embed.ts';
import type { ResourceCallback } from './meter.ts';
import { prepared } from './prepared.ts';
import {
  type CallsOf,
  type CompletionRequest,
  type MidStreamPolicy,
  type ObjectOf,
  preparedFor,
  requestFor,
  timeoutsOf,
} from './request.ts';
import type { LLMResponse, StreamingChunk } from './response.ts';
import { type GatewayStats, StatsBook } from './stats.ts';
import { type StreamResponseOptions, streamResponseOf } from './stream-response.ts';

/** Told of each chunk of `completeStream` before its consumer is. What it throws is logged and changes nothing. */
export type StreamingCallback = (chunk: StreamingChunk) => void;

/** One provider that a call may go to. */
export interface CallTarget {
  /** Name of one of the gateway's providers, or a type that its factory makes. */
  provider: string;
  /** As the provider knows it. Absent: its own. */
  model?: string;
  /** What the request gets where it says nothing. */
  defaults?: RequestDefaults;
}

/**
 * Where a call goes, in the order they are to be tried.
 * @throws AirframeError for what may not be asked, such as a model that nobody knows
 */
export type Route = (call: { agentName: string; model: string | undefined }) => readonly CallTarget[];

/** What {@link LLMGateway} takes beside the settings; all of it may be left out. */
export interface LLMGatewayOptions {
  /** Providers to ask, in this order, when the agent's own fails before its first output. */
  fallbackProviders?: readonly string[];
  /** Decides where calls go, in the place of what settings say of agents, models and aliases, and of `fallbackProviders`. */
  route?: Route;
  /** When an answer breaks off that has begun. Default `fail`. */
  midStream?: MidStreamPolicy;
  /** Keeps answers and gives them again to identical requests. Default: none. */
  cache?: ResponseCacheOptions;
  /** Budgets and rates that calls have to keep within. Default: none. */
  limiter?: CallLimiter;
  /** When a provider that fails is left alone for a while. */
  breaker?: BreakerOptions;
  /** Through it replicas with the same providers leave alone what one of them has seen fail. Not closed here. */
  breakerStore?: ReplicaStore;
  /** How calls are recorded. Default: by the global OpenTelemetry SDK, where there is one, without prompts and answers. */
  telemetry?: Telemetry;
  logger?: Logger;
  resourceCallback?: ResourceCallback;
  streamingCallback?: StreamingCallback;
  /** Told how much of a model is loaded that runs in this process: the provider llamacpp. */
  onLoadProgress?: OnLoadProgress;
  /** Default: the calculator of this process. */
  costCalculator?: CostCalculator;
  /** With DEPLOYMENT_MODE=distributed: llama-servers that share the calls of llamaserver. The caller closes the pool. */
  nodes?: NodePool;
  /** Makes the providers, instead of `nodes` and what else is given here for them; the caller closes it. Default: one of the gateway's own. */
  factory?: Pick<LLMFactory, 'getProvider'>;
  /** Providers to use under these names, instead of what the factory would make; the caller closes them. */
  providers?: Readonly<Record<string, LLMProvider>>;
}

/** One door to all providers: settings per agent, fallback, cost, limits, statistics. */
export class LLMGateway {
  readonly #settings: Settings;
  readonly #fallbackProviders: readonly string[];
  readonly #logger: Logger;
  readonly #stats = new StatsBook();
  readonly #breakers: BreakerBoard;
  readonly #telemetry: Telemetry;
  readonly #midStream: MidStreamPolicy;
  readonly #route: Route | undefined;
  readonly #cache: ResponseCache | undefined;
  readonly #limiter: CallLimiter | undefined;
  readonly #factory: Pick<LLMFactory, 'getProvider'>;
  readonly #ownFactory: LLMFactory | undefined;
  readonly #providers: ReadonlyMap<string, LLMProvider>;
  #resourceCallback: ResourceCallback | undefined;
  #streamingCallback: StreamingCallback | undefined;
  #closed = false;

  /** @throws AirframeError (invalid_request) when a fallback provider has an unknown name */
  constructor(settings: Settings, options: LLMGatewayOptions = {}) {
    const { logger, costCalculator, nodes, onLoadProgress, factory } = options;
    const { providers = {}, fallbackProviders = [] } = options;
    this.#settings = settings;
    this.#midStream = options.midStream ?? 'fail';
    this.#limiter = options.limiter;
    this.#route = options.route;
    this.#logger = loggerOf(logger);
    const { breakerStore: store } = options;
    this.#breakers = new BreakerBoard(options.breaker, store && { store, logger: this.#logger });
    this.#cache = options.cache && new ResponseCache(options.cache, this.#logger);
    this.#telemetry = options.telemetry ?? new Telemetry();
    const forOwn = defined({ logger, costCalculator, nodes, onLoadProgress });
    const own = factory ? undefined : new LLMFactory(settings, forOwn);
    this.#ownFactory = own;
    this.#factory = factory ?? (own as LLMFactory);
    this.#providers = new Map(Object.entries(providers));
    this.#fallbackProviders = fallbackProviders;
    this.#resourceCallback = options.resourceCallback;
    this.#streamingCallback = options.streamingCallback;
    for (const name of fallbackProviders) if (!this.#providers.has(name)) knownType(name);
  }

  /**
   * The whole answer. It is read as a stream all the same, so that deadlines and limits hold while it comes.
   * @throws AirframeError with the log of all tries; `quota` when the resource callback objects
   */
  async complete<const Request extends CompletionRequest>(
    request: Request,
  ): Promise<LLMResponse<ObjectOf<Request>, CallsOf<Request>>> {
    const call = new GatewayCall(request, this.#context(request, false));
    for (let { value: chunk } = await call.next(); chunk; { value: chunk } = await call.next()) {
      // What lies there already need not pass one by one.
      for (let next: StreamingChunk | undefined = chunk; next; next = call.poll()) {
        if (next.response) return next.response as LLMResponse<ObjectOf<Request>, CallsOf<Request>>;
      }
    }
    throw new AirframeError('unknown', 'the call ended without a response');
  }

  /**
   * The answer as it comes; the last chunk, and only that, is final and carries the response. Nothing is sent
   * before the first `next()`. A `break` stops the backend and accounts for what was used.
   * @throws AirframeError, from the iterator, after all chunks that came
   */
  completeStream(request: CompletionRequest): CompletionStream {
    return new ChunkStream(() => new GatewayCall(request, this.#context(request, true)));
  }

  /**
   * {@link completeStream} as a web `Response`, e.g. for a fetch handler.
   * @returns an error status when the call fails before its first text; never rejects
   */
  completeStreamToResponse(
    request: CompletionRequest,
    options: StreamResponseOptions = {},
  ): Promise<Response> {
    return streamResponseOf(this.completeStream(request), options);
  }

  /**
   * Vectors for texts, by the agent's own provider. A fallback provider is never asked: another model's vectors mean
   * something else.
   * @throws AirframeError; of code `unsupported` when the provider has no embeddings
   */
  async embed(request: EmbeddingRequest): Promise<EmbeddingResponse> {
    return embed(request, this.#context(request, false));
  }

  /**
   * The tokens of a request's prompt, by the count of the provider that would be asked first; nothing is generated.
   * @throws AirframeError; of code `unsupported` when that provider does not count
   */
  async countTokens(request: CompletionRequest): Promise<TokenCount> {
    const { request: asked } = prepared(request);
    const [destination] = this.#destinations(request.agentName ?? 'unknown', request.model);
    if (!destination) throw noProvider();
    const { model, defaults } = destination;
    const provider = destination.provider();
    const wanted = preparedFor(provider, requestFor(asked, model, defaults));
    return provider.countTokens(wanted, defined({ signal: request.signal, timeouts: timeoutsOf(request) }));
  }

  /** Counts, times and circuits since the gateway was made. */
  getStats(): GatewayStats {
    return this.#stats.snapshot(this.#breakers.snapshot());
  }

  /** For calls from now on; undefined: none. */
  setResourceCallback(callback: ResourceCallback | undefined): void {
    this.#resourceCallback = callback;
  }

  /** For calls from now on; undefined: none. */
  setStreamingCallback(callback: StreamingCallback | undefined): void {
    this.#streamingCallback = callback;
  }

  /** Refuses further calls and closes the providers the gateway has made itself. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#breakers.close();
    await this.#ownFactory?.close();
  }

  #context(
    { agentName = 'unknown', model }: Pick<EmbeddingRequest, 'agentName' | 'model'>,
    streamed: boolean,
  ): CallContext {
    return {
      destinations: () => this.#destinations(agentName, model),
      agentName,
      streamed,
      stats: this.#stats,
      breakers: this.#breakers,
      telemetry: this.#telemetry,
      midStream: this.#midStream,
      cache: this.#cache,
      limiter: this.#limiter,
      logger: this.#logger,
      resourceCallback: this.#resourceCallback,
      onChunk: streamed ? this.#streamingCallback : undefined,
    };
  }

  /** A model's name, or alias, means something to one provider only: those behind the first use their own. */
  #destinations(agentName: string, model: string | undefined): Destination[] {
    if (this.#closed) throw new AirframeError('invalid_request', 'this gateway is closed; make a new one');
    if (this.#route)
      return this.#route({ agentName, model }).map(target => this.#destinationOf(target, agentName));
    const { provider: first, model: asked, defaults } = resolveCall(this.#settings, agentName, model);
    const { deploymentMode, defaultTemperature, disableTemperature } = this.#settings;
    const agent = resolveAgent(this.#settings, agentName);
    // Nodes may be for some agents only, each with a model of its own.
    const ofNodes = deploymentMode === 'distributed' ? { agentName } : {};
    const variant = { ...agent, defaultTemperature, disableTemperature, ...ofNodes };
    const fallbacks = this.#settings.mockLlmEnabled ? [] : this.#fallbackProviders;
    return [...new Set([first, ...fallbacks])].map((name, index) => ({
      ...this.#destinationOf({ provider: name }, agentName),
      model: index === 0 ? asked : undefined,
      defaults: index === 0 ? defaults : undefined,
      variant,
    }));
  }

  #destinationOf({ provider: name, model, defaults }: CallTarget, agentName: string): Destination {
    const given = this.#providers.get(name);
    return {
      name,
      type: given?.name ?? name,
      model,
      defaults,
      provider: () => given ?? this.#factory.getProvider(name, agentName),
    };
  }
}
