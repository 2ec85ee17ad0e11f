import type { AirframeError, Attempt } from './errors.ts';

/** How a reply ended. `done` carries exactly one of these. */
export type FinishReason =
  | 'stop'
  | 'length'
  | 'tool_calls'
  | 'content_filter'
  | 'aborted'
  | 'truncated'
  | 'stalled'
  | 'error';

/**
 * Tokens of one call. One meaning for all backends: `promptTokens` includes cached ones;
 * `cachedTokens`, `cacheWriteTokens` and `reasoningTokens` are subsets, and `cacheWrite1hTokens` is one of
 * `cacheWriteTokens`. Absent means the backend did not say.
 */
export interface Usage {
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  cachedTokens?: number;
  cacheWriteTokens?: number;
  /** Of `cacheWriteTokens`: those to be kept for an hour, which cost more than those kept for minutes. */
  cacheWrite1hTokens?: number;
  reasoningTokens?: number;
  /** `reported`: the backend's own figures. `estimated`: ours, because it gave none (yet). */
  source: 'reported' | 'estimated';
}

/** Milliseconds and rates, as far as they are known. */
export interface Timings {
  /** From the call to the first output event, measured here. */
  firstTokenMs?: number;
  /** From the call to its end, measured here. */
  totalMs: number;
  /** Prompt evaluation, by the backend's clock. */
  promptMs?: number;
  /** Generation, by the backend's clock. */
  generationMs?: number;
  /** Generated tokens a second, by the backend's clock. */
  tokensPerSecond?: number;
}

/** A finished tool call. Exactly one of `input` and `parseError` is there once the call has been parsed. */
export interface ToolCall {
  id: string;
  name: string;
  /** As the model wrote them; not always valid JSON. */
  arguments: string;
  /** The arguments parsed. */
  input?: unknown;
  /** Why they could not be parsed. */
  parseError?: string;
  /** Opaque; the adapter that made it wants it back with the call, every other one leaves it out. */
  signature?: string;
}

/** A piece of the model's thinking. */
export interface ReasoningPart {
  /** May be empty: some backends show the signature only. */
  text: string;
  /** Opaque; the adapter that made it wants it back with the part, every other one leaves it out. */
  signature?: string;
}

/** A reply as it goes back into the history of the next request. */
export interface AssistantMessage {
  role: 'assistant';
  content: string;
  reasoning?: ReasoningPart[];
  toolCalls?: ToolCall[];
}

/** One limit of a backend, as its response headers tell it. */
export interface RateLimit {
  limit?: number;
  remaining?: number;
  /** Milliseconds until `remaining` is back at `limit`. */
  resetMs?: number;
}

/** The limits a backend told, in one shape for all. */
export interface RateLimits {
  requests?: RateLimit;
  tokens?: RateLimit;
  inputTokens?: RateLimit;
  outputTokens?: RateLimit;
}

/** A piece of the answer, as it came; a piece is not always one token. */
export interface TokenEvent {
  type: 'token';
  text: string;
}

/** A piece of the model's thinking, with a signature where the backend wants it back. */
export interface ReasoningEvent {
  type: 'reasoning';
  text: string;
  signature?: string;
}

/** A piece of a tool call while the model writes it; `index` says of which call of the reply. */
export interface ToolCallDeltaEvent {
  type: 'tool_call_delta';
  index: number;
  id?: string;
  name?: string;
  argumentsDelta: string;
}

/** A tool call that is whole. */
export interface ToolCallEvent {
  type: 'tool_call';
  index: number;
  call: ToolCall;
}

/** The assembled reply: once, before `done`, when the reply is whole. */
export interface MessageEvent {
  type: 'message';
  message: AssistantMessage;
}

/** What went wrong; `done` follows. */
export interface ErrorEvent {
  type: 'error';
  error: AirframeError;
}

/** The end of every stream, whatever happened: exactly one, always last. */
export interface DoneEvent {
  type: 'done';
  finishReason: FinishReason;
  /** What was used so far, also after an error or abort. */
  usage: Usage;
  timings: Timings;
  /** The backend's id of the response. */
  responseId?: string;
  /** The model that answered, in the backend's words. */
  model?: string;
  /** The tier that served the call, in the backend's words. */
  serviceTier?: string;
  rateLimits?: RateLimits;
  attempts: readonly Attempt[];
}

/** Everything that a stream may yield, told apart by `type`. */
export type InferenceStreamEvent =
  | TokenEvent
  | ReasoningEvent
  | ToolCallDeltaEvent
  | ToolCallEvent
  | MessageEvent
  | ErrorEvent
  | DoneEvent;

/** The words of `type`. */
export type StreamEventType = InferenceStreamEvent['type'];

/** True for the events that carry output of the model; after the first one a call is never retried. */
export function isOutput(event: InferenceStreamEvent): boolean {
  return (
    event.type === 'token' ||
    event.type === 'reasoning' ||
    event.type === 'tool_call_delta' ||
    event.type === 'tool_call'
  );
}
