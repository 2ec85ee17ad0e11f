import type {
  AssistantMessage,
  Attempt,
  DoneEvent,
  FinishReason,
  Timings,
  ToolCall,
  Usage,
} from '@x/airframe';

/** One try of a call, at whichever provider. Numbered over the whole call. */
export interface ProviderAttempt extends Attempt {
  provider: string;
  /** Model asked for; absent: the provider's own. */
  model?: string;
}

export interface ResponseMetadata {
  requestId: string;
  agentName: string;
  finishReason: FinishReason;
  /** Tokens of the provider that answered, and whether it reported them or they are estimated. */
  usage: Usage;
  timings: Timings;
  /** All tries, those of providers that failed included. */
  attempts: readonly ProviderAttempt[];
  /** false: the model's price is unknown, and `costUsd` lacks it. */
  priced: boolean;
  /** The backend's id of the response. */
  responseId?: string;
  /** The reply for the history of the next call, reasoning included. */
  message?: AssistantMessage;
}

/** An answer and what it took. */
export interface LLMResponse {
  text: string;
  toolCalls: ToolCall[];
  /** Prompt and completion. */
  tokensUsed: number;
  promptTokens: number;
  completionTokens: number;
  /** From the call to its end, failed providers included. */
  latencyMs: number;
  /** Type of the provider that answered. */
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

/** What a call has gathered by its end. */
export interface GatheredReply {
  requestId: string;
  agentName: string;
  provider: string;
  model: string;
  text: string;
  toolCalls: ToolCall[];
  message: AssistantMessage | undefined;
  done: DoneEvent;
  /** The whole call's, failed providers included. */
  ledger: { attempts: readonly ProviderAttempt[]; costUsd: number; priced: boolean };
  latencyMs: number;
  streamed: boolean;
}

export function responseOf(reply: GatheredReply): LLMResponse {
  const { requestId, agentName, text, toolCalls, message, done } = reply;
  const { attempts, costUsd, priced } = reply.ledger;
  const { finishReason, usage, timings, responseId } = done;
  return {
    text,
    toolCalls,
    tokensUsed: usage.totalTokens,
    promptTokens: usage.promptTokens,
    completionTokens: usage.completionTokens,
    latencyMs: reply.latencyMs,
    provider: reply.provider,
    model: reply.model,
    costUsd,
    timestamp: new Date(),
    metadata: {
      requestId,
      agentName,
      finishReason,
      usage,
      timings,
      attempts,
      priced,
      ...(responseId === undefined ? {} : { responseId }),
      ...(message === undefined ? {} : { message }),
    },
    streamed: reply.streamed,
  };
}
