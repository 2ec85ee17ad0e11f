import type {
  AssistantMessage,
  Attempt,
  FinishReason,
  ReasoningEvent,
  Timings,
  TokenEvent,
  ToolCall,
  ToolCallDeltaEvent,
  ToolCallEvent,
  Usage,
} from '@x/airframe';
import type { LimitUsage } from '../limits/usage.ts';
import type { RouteDecision } from '../nodes/node-tries.ts';
import type { RequestMetadata } from './request.ts';

/** One try of a call, at whichever provider. Numbered over the whole call. */
export interface ProviderAttempt extends Attempt {
  /** Name it is configured under. */
  provider: string;
  /** Model asked for; absent: the provider's own. */
  model?: string;
}

/** Tokens that were paid for. */
export interface BilledTokens {
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
}

/** A place where an answer was taken up by another provider, or begun anew. */
export interface Seam {
  /** `continue`: the text goes on where it stopped. `restart`: forget what came before. */
  policy: 'continue' | 'restart';
  /** `failure`: the answer broke off. `repair`: it did not fit the schema. */
  reason: 'failure' | 'repair';
  /** Provider before the seam. */
  from: string;
  /** Provider behind it. */
  to: string;
  /** What was wrong. */
  message: string;
}

/** A provider passed over: its circuit is open, or it costs more than a budget has left. */
export interface SkippedProvider {
  provider: string;
  reason: 'circuit_open' | 'limit_reached';
  /** Milliseconds until it may be tried again. */
  retryInMs: number;
}

/** Where the answer stands with the response cache. `shared`: it came with that of an identical call under way. */
export type CacheOutcome = 'hit' | 'shared' | 'miss';

/** How an answer came about: who was asked, how it ended, what was billed. */
export interface ResponseMetadata {
  requestId: string;
  agentName: string;
  finishReason: FinishReason;
  /** Tokens of the provider that answered, and whether it reported them or they are estimated. */
  usage: Usage;
  /** Tokens of the whole call, failed providers and retries included. */
  billed: BilledTokens;
  timings: Timings;
  /** All tries, those of providers that failed included. */
  attempts: readonly ProviderAttempt[];
  /** false: the model's price is unknown, and `costUsd` lacks it. */
  priced: boolean;
  /** Places where the answer was taken up or begun anew; the text is that behind the last restart. */
  seams?: readonly Seam[];
  skipped?: readonly SkippedProvider[];
  /** With nodes: those the call was sent to, and why; the last one has the answer. */
  routes?: readonly RouteDecision[];
  /** Absent: the call had nothing to do with a cache. */
  cache?: CacheOutcome;
  /** Of an answer from the cache: USD that it cost when it was made. */
  savedUsd?: number;
  /** What the request brought as its `metadata`. */
  request?: RequestMetadata;
  /** The backend's id of the response. */
  responseId?: string;
  /** The reply for the history of the next call, reasoning included. */
  message?: AssistantMessage;
}

/** An answer and what it took. */
export interface LLMResponse<Value = unknown, Call = ToolCall> {
  text: string;
  /** The answer to a request with a `schema`, checked. */
  object?: Value;
  toolCalls: Call[];
  /** Prompt and completion. */
  tokensUsed: number;
  promptTokens: number;
  completionTokens: number;
  /** From the call to its end, failed providers included. */
  latencyMs: number;
  /** The provider that answered, by the name it is configured under: its type, unless it was given another. */
  provider: string;
  /** The model that answered, in the backend's words; `default` when it did not say. */
  model: string;
  /** Of the whole call, failed providers included. */
  costUsd: number;
  timestamp: Date;
  metadata: ResponseMetadata;
  /** Whether it came through `completeStream`. */
  streamed: boolean;
}

/** How far a call has come, whether it goes on, has ended well or has failed. */
export interface CallProgress {
  requestId: string;
  /** Tries that are over. */
  attempts: readonly ProviderAttempt[];
  /** Tokens of the tries that are over. */
  billed: BilledTokens;
  costUsd: number;
  priced: boolean;
  /** With nodes: those the call was sent to, and why; the last one has it. */
  routes: readonly RouteDecision[];
  skipped: readonly SkippedProvider[];
  /** The limits that let the call in, as they stood then, the call's own reservation included. */
  limits: readonly LimitUsage[];
  cache?: CacheOutcome;
  /** Milliseconds from the call to the first output that went to the consumer. */
  firstOutputMs?: number;
}

/** Output of a model beside its text. */
export type SilentOutput = ReasoningEvent | ToolCallDeltaEvent | ToolCallEvent;

/** A piece of an answer. */
export interface StreamingChunk {
  /** '' on the final chunk. */
  text: string;
  /** True on the last chunk, and only there. */
  isFinal: boolean;
  requestId: string;
  agentName: string;
  provider: string;
  /** Model asked for, `default` when none was; on the final chunk the one that answered. */
  model: string;
  /** Completion tokens so far: counted on the way, the backend's figure on the final chunk. */
  cumulativeTokens: number;
  timestamp: Date;
  /** On a chunk without text: here the answer is taken up or begun anew. */
  seam?: Seam;
  /** On a chunk without text, where the request has `output: 'all'`: thinking, or a part of a tool call. */
  event?: SilentOutput;
  /** On the final chunk: the whole answer with usage, cost and timings. */
  response?: LLMResponse;
}

/** The last chunk of an answer. */
export function finalChunkOf(response: LLMResponse): StreamingChunk {
  const { provider, model, completionTokens: cumulativeTokens, timestamp, metadata } = response;
  const { requestId, agentName } = metadata;
  const ids = { requestId, agentName, provider, model };
  return { text: '', isFinal: true, ...ids, cumulativeTokens, timestamp, response };
}

/** A piece of an answer on its way through the gateway. */
export interface Piece {
  /** '' with a seam, and with output that is no text. */
  text: string;
  event?: SilentOutput;
  provider: string;
  /** Model asked for. */
  model: string;
  /** Completion tokens so far. */
  tokens: number;
  seam?: Seam;
}

/** Made for every token: nothing spread. */
export function pieceOf(
  output: Output,
  { provider, model }: Pick<Piece, 'provider' | 'model'>,
  tokens: number,
): Piece {
  return output.type === 'token'
    ? { text: output.text, provider, model, tokens }
    : { text: '', event: output, provider, model, tokens };
}

/** A whole answer, as its provider gave it. */
export interface Answered {
  provider: string;
  /** The model that answered. */
  model: string;
  text: string;
  toolCalls: ToolCall[];
  message?: AssistantMessage;
  finishReason: FinishReason;
  usage: Usage;
  /** Of the whole text, that in front of a seam included. */
  completionTokens: number;
  timings: Timings;
  responseId?: string;
}

/** What a call knows beside the answer. */
export interface CallFrame {
  requestId: string;
  agentName: string;
  /** The whole call's, failed providers included. */
  ledger: { attempts: readonly ProviderAttempt[]; billed: BilledTokens; costUsd: number; priced: boolean };
  seams: readonly Seam[];
  skipped: readonly SkippedProvider[];
  routes: readonly RouteDecision[];
  cache: CacheOutcome | undefined;
  savedUsd: number;
  request: RequestMetadata | undefined;
  latencyMs: number;
  streamed: boolean;
}

/** @param object the answer as the object that was asked for */
export function responseOf(
  answered: Answered,
  object: { value: unknown } | undefined,
  frame: CallFrame,
): LLMResponse {
  const { provider, model, text, toolCalls, finishReason, usage, completionTokens, timings } = answered;
  const { requestId, agentName, seams, skipped, routes, cache, savedUsd, request } = frame;
  const { attempts, billed, costUsd, priced } = frame.ledger;
  const metadata: ResponseMetadata = {
    requestId,
    agentName,
    finishReason,
    usage,
    billed,
    timings,
    attempts,
    priced,
  };
  if (seams.length > 0) metadata.seams = seams;
  if (skipped.length > 0) metadata.skipped = skipped;
  if (routes.length > 0) metadata.routes = routes;
  if (cache !== undefined) metadata.cache = cache;
  if (cache === 'hit' || cache === 'shared') metadata.savedUsd = savedUsd;
  if (request !== undefined) metadata.request = request;
  if (answered.responseId !== undefined) metadata.responseId = answered.responseId;
  if (answered.message !== undefined) metadata.message = answered.message;
  const response: LLMResponse = {
    text,
    toolCalls,
    tokensUsed: usage.promptTokens + completionTokens,
    promptTokens: usage.promptTokens,
    completionTokens,
    latencyMs: frame.latencyMs,
    provider,
    model,
    costUsd,
    timestamp: new Date(),
    metadata,
    streamed: frame.streamed,
  };
  if (object) response.object = object.value;
  return response;
}

/** What of a model's output a consumer gets. */
export type Output = TokenEvent | SilentOutput;
