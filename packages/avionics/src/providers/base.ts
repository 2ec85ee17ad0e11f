import {
  AirframeError,
  type ChatCapabilities,
  type DoneEvent,
  defineAdapter,
  type EmbedRequest,
  type EmbedResult,
  type EndpointSpec,
  type FinishReason,
  type InferenceCall,
  type InferenceRequest,
  type InferenceStream,
  type InferOptions,
  type ModelInfo,
  type Reply,
  type Timings,
  type TokenCount,
  type Usage,
} from '@x/airframe';
import { type CostCalculator, type CostMetrics, getCostCalculator } from '../cost/calculator.ts';
import { type CostEstimate, sizeOfRequest } from '../cost/estimate.ts';
import { type Logger, loggerOf } from '../logger.ts';
import { ObservedStream } from './observed-stream.ts';
import { defined, type GenerateOptions, optionsOf, type Prompt, requestOf } from './options.ts';
import { ProviderRecorder, type ProviderStats } from './stats.ts';

/** How a stream of tokens ended; stands on its final chunk. */
export interface TokenChunkMetadata {
  finishReason: FinishReason;
  usage: Usage;
  costUsd: number;
  /** Whether the model's price is known. */
  priced: boolean;
  model: string;
  timings: Timings;
}

/** A piece of an answer. */
export interface TokenChunk {
  /** '' on the final chunk. */
  text: string;
  /** True on the last chunk, and only there. */
  isFinal: boolean;
  /**
   * Tokens this chunk adds. The final one corrects what was counted on the way, so that all of them sum up to the
   * usage; it is negative when there were more chunks than tokens.
   */
  tokenCount: number;
  /** On the final chunk. */
  metadata?: TokenChunkMetadata;
}

/** What every provider takes. */
export interface LLMProviderOptions {
  logger?: Logger;
  /** Default: the calculator of this process. */
  costCalculator?: CostCalculator;
}

/**
 * A source of answers. A subclass has at least `name`, `generate` and `healthCheck`; one with a real stream
 * overrides `infer`, and everything else is built on that.
 */
export abstract class LLMProvider {
  /** Type of the provider, e.g. `llamaserver`: the name prices and stats go by. */
  abstract readonly name: string;
  protected readonly logger: Logger;
  readonly #costs: CostCalculator;
  readonly #recorder = new ProviderRecorder();

  constructor(options: LLMProviderOptions = {}) {
    this.logger = loggerOf(options.logger);
    this.#costs = options.costCalculator ?? getCostCalculator();
  }

  /** Model used when a call names none; undefined: the backend's own. */
  get defaultModel(): string | undefined {
    return undefined;
  }

  /** Root of the backend's API, for telemetry; undefined: it has none. */
  get baseUrl(): string | undefined {
    return undefined;
  }

  /** True when tokens come as they are made. */
  get supportsStreaming(): boolean {
    return false;
  }

  /** True when `prompt` goes to the model as it is, without a template. */
  get supportsRawPrompt(): boolean {
    return false;
  }

  /**
   * The answer to a prompt.
   * @param model '' for the backend's own
   * @throws AirframeError when the call fails
   */
  abstract generate(model: string, prompt: Prompt, options?: GenerateOptions): Promise<string>;

  /** True when the backend is there and ready. Never throws. */
  abstract healthCheck(): Promise<boolean>;

  /**
   * The answer piece by piece; the last chunk, and only that, is final.
   * @throws AirframeError when the call fails, after all that had come
   */
  async *generateStream(
    model: string,
    prompt: Prompt,
    options: GenerateOptions = {},
  ): AsyncGenerator<TokenChunk, undefined, undefined> {
    const request = this.prepare(requestOf(model, prompt, options));
    const { signal, timeouts } = options;
    let tokens = 0;
    let error: AirframeError | undefined;
    for await (const event of this.infer(request, defined({ signal, timeouts }))) {
      if (event.type === 'token') {
        tokens++;
        yield { text: event.text, isFinal: false, tokenCount: 1 };
      } else if (event.type === 'error') error = event.error;
      else if (event.type === 'done' && !error) yield this.#finalChunk(request, event, tokens);
    }
    if (error) throw error;
  }

  /** Fills what a request leaves open with this provider's defaults. */
  prepare(request: InferenceRequest): InferenceRequest {
    return request;
  }

  /** The events of one inference; failures are events, `done` is last. Here: built on `generate`, in one piece. */
  infer(request: InferenceRequest, options: InferOptions = {}): InferenceStream {
    const endpoint: EndpointSpec = { name: this.name, backendKind: 'generate', baseUrl: 'file:///generate' };
    const adapter = defineAdapter({
      kind: endpoint.backendKind,
      capabilities: NO_CAPABILITIES,
      infer: (call, reply) => this.#inferByGenerate(call, reply),
      health: async () => ((await this.healthCheck()) ? 'healthy' : 'unhealthy'),
    });
    return this.observe(adapter.streamInfer(endpoint, request, options), request);
  }

  /**
   * Vectors for texts.
   * @throws AirframeError; of code `unsupported` when the provider has no embeddings, as here
   */
  async embed(_request: EmbedRequest, _options?: InferOptions): Promise<EmbedResult> {
    return this.cannot('embed');
  }

  /**
   * The tokens of a request's prompt by the backend's own count; nothing is generated.
   * @throws AirframeError; of code `unsupported` when the backend does not count, as here
   */
  async countTokens(_request: InferenceRequest, _options?: InferOptions): Promise<TokenCount> {
    return this.cannot('countTokens');
  }

  /**
   * What a call may name as model.
   * @throws AirframeError; of code `unsupported` when the backend has no list, as here
   */
  async listModels(_options?: InferOptions): Promise<ModelInfo[]> {
    return this.cannot('listModels');
  }

  /** The error of an operation that this provider lacks; another provider may have it. */
  protected cannot(operation: 'embed' | 'countTokens' | 'listModels'): never {
    throw new AirframeError('invalid_request', `provider ${this.name} has no ${operation}`, {
      code: 'unsupported',
    });
  }

  /** Counts a call for vectors in this provider's stats, as {@link observe} does a stream. */
  protected async observeEmbed(
    requested: string | undefined,
    embed: () => Promise<EmbedResult>,
  ): Promise<EmbedResult> {
    this.#recorder.started();
    try {
      const result = await this.advising(embed);
      this.#recorder.ended(result, undefined, this.costOf(requested, result));
      return result;
    } catch (error) {
      this.#recorder.failed(AirframeError.from(error).category);
      throw error;
    }
  }

  /** Gives the error of a call this provider's advice. */
  protected async advising<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw this.#advised(AirframeError.from(error));
    }
  }

  /** Counts a stream in this provider's stats and gives its errors this provider's advice. */
  protected observe(stream: InferenceStream, request: InferenceRequest): InferenceStream {
    return new ObservedStream(stream, {
      started: () => this.#recorder.started(),
      failed: error => this.#advised(error),
      ended: (done, error) => this.#recorder.ended(done, error, this.costOf(request.model, done)),
      left: (error, usage) => this.#recorder.left(error, usage, this.costOf(request.model, { usage })),
    });
  }

  /** What the user of this provider can do about an error, if there is something; without a full stop. */
  protected adviceFor(_error: AirframeError): string | undefined {
    return undefined;
  }

  /**
   * What a call cost.
   * @param requested model named in the request
   */
  costOf(requested: string | undefined, done: Pick<DoneEvent, 'usage' | 'model'>): CostMetrics {
    const { usage } = done;
    const model = this.#costs.billingModel(this.name, requested ?? this.defaultModel, done.model);
    const { promptTokens, completionTokens, cachedTokens, cacheWriteTokens, cacheWrite1hTokens } = usage;
    return this.#costs.calculateCost(this.name, model, promptTokens, completionTokens, {
      cachedTokens,
      cacheWriteTokens,
      cacheWrite1hTokens,
      reasoningTokens: usage.reasoningTokens,
      logger: this.logger,
    });
  }

  /** What a call may use and cost at most, before it is sent. */
  estimateOf(request: InferenceRequest): CostEstimate {
    const model = request.model ?? this.defaultModel ?? 'default';
    return this.#costs.estimateRequest(this.name, model, sizeOfRequest(request));
  }

  /** Counts, tokens, cost and times of the calls so far. */
  getStats(): ProviderStats {
    return this.#recorder.snapshot(this.name);
  }

  /** Gives back sockets and memory. */
  async close(): Promise<void> {}

  async *#inferByGenerate({ request, signal }: InferenceCall, reply: Reply): AsyncGenerator<void> {
    if (request.tools?.length) {
      throw new AirframeError(
        'invalid_request',
        `provider ${this.name} cannot call tools; it only generates text`,
        { code: 'unsupported' },
      );
    }
    const prompt = request.messages ?? request.prompt ?? '';
    reply.text(await this.generate(request.model ?? '', prompt, { ...optionsOf(request), signal }));
    reply.finish('stop');
    yield;
  }

  /** The transport's own advice speaks of things that its user, not ours, has in hand. */
  #advised(error: AirframeError): AirframeError {
    const remedy = this.adviceFor(error);
    return remedy === undefined ? error : error.with({ remedy });
  }

  #finalChunk(request: InferenceRequest, done: DoneEvent, tokens: number): TokenChunk {
    const { finishReason, usage, timings } = done;
    const { costUsd, priced, model } = this.costOf(request.model, done);
    return {
      text: '',
      isFinal: true,
      tokenCount: usage.completionTokens - tokens,
      metadata: { finishReason, usage, costUsd, priced, model: done.model ?? model, timings },
    };
  }
}

/** Of an adapter that answers in one piece, if it answers at all. */
export const NO_CAPABILITIES: ChatCapabilities = {
  streaming: false,
  rawPrompt: false,
  tools: false,
  images: false,
  reasoning: false,
  jsonSchema: false,
  seed: false,
};
