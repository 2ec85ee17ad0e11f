import type { AirframeError, ReasoningEvent, ToolCall, ToolCallDeltaEvent } from '@x/airframe';
import type { CompletionRequest, LLMResponse } from '@x/avionics';

/**
 * A protocol that clients speak: what their requests mean to the gateway, and what its answers look like to them. One
 * folder each, of the same files: `wire` (the client's shapes, and where they are described), `request`, `answer`,
 * `index`.
 */
export interface Protocol {
  readonly name: ProtocolName;
  /** Of the POST route. */
  readonly path: string;
  /**
   * What a client asks.
   * @param body parsed JSON
   * @throws AirframeError (invalid_request) that names the field, its value and the remedy
   */
  read(body: unknown): Asked;
  /** An error as the body of an answer that has no other. */
  refusal(error: AirframeError, requestId: string): unknown;
  /** Statuses of the protocol's own. Default: {@link statusOf}. */
  statusOf?(error: AirframeError): number;
}

export const PROTOCOL_NAMES = [
  'openai-chat',
  'openai-completions',
  'openai-responses',
  'anthropic-messages',
] as const;
export type ProtocolName = (typeof PROTOCOL_NAMES)[number];

/** What a client asks, in the gateway's words. Who asks, and until when, is added by others. */
export interface Asked {
  /** The model or alias that the client names. */
  model: string;
  /** true: piece by piece, as server-sent events. */
  stream: boolean;
  request: CompletionRequest;
  /** What the client asks that the gateway leaves out, by the names of the fields; a header of the answer tells them. */
  ignored?: readonly string[];
  /** One for each call: it knows what the client wants of the answer's form, and what it has written so far. */
  answer(facts: AnswerFacts): AnswerWriter;
}

export interface AnswerFacts {
  /** The gateway's id of the call; without a prefix. */
  requestId: string;
  /** The model that answers, as far as it is known when the answer begins; else the name that the client asked for. */
  model: string;
  /** Seconds since the epoch. */
  created: number;
}

/**
 * Writes one answer, either by {@link whole} or as a stream: `begin`, then any number of pieces, then `end` or `fail`.
 * Each gives the text to be sent, whole server-sent events or ''. All of it is pure: nothing waits, nothing throws.
 */
export interface AnswerWriter {
  begin(): string;
  text(delta: string): string;
  reasoning(event: Pick<ReasoningEvent, 'text' | 'signature'>): string;
  toolCallDelta(event: ToolCallDeltaEvent): string;
  /** The call at this index is finished; its deltas came before. */
  toolCall(index: number, call: ToolCall): string;
  /** The last pieces and the end signal. */
  end(response: LLMResponse): string;
  /** The answer broke off: an error in the protocol's own form, and never an end signal that a client takes for a good one. */
  fail(error: AirframeError): string;
  /** The whole answer as one JSON value. */
  whole(response: LLMResponse): unknown;
}
