import {
  type AirframeError,
  type FinishReason,
  type InferenceRequest,
  isAirframeError,
  type ReportedUsage,
  type ToolCallFragment,
} from '@x/airframe';

/** One scripted answer. */
export interface MockReply {
  /** The answer; comes word by word. */
  text?: string;
  /** The answer in exactly these pieces, instead of `text`. */
  chunks?: readonly string[];
  /** Thinking in front of the answer. */
  reasoning?: string;
  toolCalls?: readonly ToolCallFragment[];
  /** Ends the call, after whatever else the reply holds. */
  error?: AirframeError;
  /** The connection ends after the last chunk, without the backend's end signal. */
  cut?: boolean;
  /** Milliseconds before the first output. */
  delayMs?: number;
  /** Milliseconds before each further chunk. */
  chunkDelayMs?: number;
  /** Over the mock's own figures: four characters a prompt token, one token a chunk. */
  usage?: ReportedUsage;
  finishReason?: FinishReason;
  /** The model that says it answered. */
  model?: string;
}

/** A text, an error to fail with, or the whole reply in detail. */
export type MockAnswer = string | AirframeError | MockReply;

/** Answers in this order, the last one again and again; or a function of the request and its number, from 0. */
export type MockScript = readonly MockAnswer[] | ((request: InferenceRequest, index: number) => MockAnswer);

/** The answer to the call with this number. */
export function scriptedReply(
  script: MockScript | undefined,
  request: InferenceRequest,
  index: number,
): MockReply {
  const answer = typeof script === 'function' ? script(request, index) : (script?.[index] ?? script?.at(-1));
  if (answer === undefined) return { text: `mock answer to: ${lastWordsOf(request)}` };
  if (typeof answer === 'string') return { text: answer };
  return isAirframeError(answer) ? { error: answer } : answer;
}

/** The mock's count of a text: four characters a token. */
export function tokensOf(text: string): number {
  return Math.ceil(text.length / 4);
}

export function promptTokensOf(request: InferenceRequest): number {
  return tokensOf(JSON.stringify(request.messages ?? request.prompt));
}

/** The pieces a reply comes in. */
export function chunksOf(reply: MockReply): readonly string[] {
  return reply.chunks ?? reply.text?.match(/\s*\S+(?:\s+$)?/g) ?? (reply.text ? [reply.text] : []);
}

function lastWordsOf(request: InferenceRequest): string {
  if (request.prompt !== undefined) return request.prompt;
  const last = request.messages?.findLast(message => message.role === 'user' || message.role === 'tool');
  if (last === undefined) return '';
  if (typeof last.content === 'string') return last.content;
  return last.content.map(part => (part.type === 'text' ? part.text : `[${part.type}]`)).join('');
}
