/** A model's answer, as far as it has come. Times are of `performance.now`. */
export interface Answer {
  /** As it was asked for. */
  model: string;
  state: 'waiting' | 'streaming' | 'done' | 'stopped' | 'failed';
  startedAt: number;
  /** Of the first and the last piece of text, thinking or a tool call. */
  firstAt?: number;
  lastAt?: number;
  endedAt?: number;
  text: string;
  reasoning: string;
  toolCalls: readonly ToolCallSoFar[];
  /** Pieces that came: about a token each. */
  pieces: number;
  /** Of the call, in the request log. */
  requestId?: string;
  /** The model that answers. */
  answeredBy?: string;
  finishReason?: string;
  usage?: ChatUsage;
  error?: ChatError;
}

export interface ToolCallSoFar {
  id?: string;
  name: string;
  arguments: string;
}

export interface ChatError {
  message: string;
  type?: string;
  code?: string;
}

export interface ChatUsage {
  prompt_tokens?: number;
  completion_tokens?: number;
  prompt_tokens_details?: { cached_tokens?: number };
  completion_tokens_details?: { reasoning_tokens?: number };
  /** US dollars: the gateway's own field. */
  cost?: number;
}

/** A chunk of a streamed Chat Completion, as far as the playground reads it; or an error in its place. */
export interface ChatChunk {
  id?: string;
  model?: string;
  choices?: {
    delta?: {
      content?: string | null;
      reasoning_content?: string | null;
      tool_calls?: {
        index: number;
        id?: string;
        function?: { name?: string; arguments?: string };
      }[];
    };
    finish_reason?: string | null;
  }[];
  usage?: ChatUsage | null;
  error?: ChatError;
}

export function begun(model: string, now: number): Answer {
  return { model, state: 'waiting', startedAt: now, text: '', reasoning: '', toolCalls: [], pieces: 0 };
}

export function isRunning({ state }: Answer): boolean {
  return state === 'waiting' || state === 'streaming';
}

/** The answer with one more chunk. */
export function withChunk(answer: Answer, chunk: ChatChunk, now: number): Answer {
  if (chunk.error) return ended(answer, 'failed', now, chunk.error);
  const next = { ...answer };
  if (chunk.id) next.requestId = chunk.id.replace(/^chatcmpl-/, '');
  if (chunk.model) next.answeredBy = chunk.model;
  if (chunk.usage) next.usage = chunk.usage;
  const choice = chunk.choices?.[0];
  if (choice?.finish_reason) next.finishReason = choice.finish_reason;
  const { content, reasoning_content: reasoning, tool_calls: calls } = choice?.delta ?? {};
  if (!content && !reasoning && !calls?.length) return next;
  next.state = 'streaming';
  next.firstAt ??= now;
  next.lastAt = now;
  next.pieces++;
  next.text += content ?? '';
  next.reasoning += reasoning ?? '';
  if (calls) next.toolCalls = withCalls(next.toolCalls, calls);
  return next;
}

type CallDeltas = NonNullable<NonNullable<NonNullable<ChatChunk['choices']>[number]['delta']>['tool_calls']>;

function withCalls(before: readonly ToolCallSoFar[], deltas: CallDeltas): ToolCallSoFar[] {
  const calls = [...before];
  for (const { index, id, function: called } of deltas) {
    const known = calls[index] ?? { name: '', arguments: '' };
    calls[index] = {
      ...known,
      ...(id ? { id } : {}),
      name: known.name + (called?.name ?? ''),
      arguments: known.arguments + (called?.arguments ?? ''),
    };
  }
  return calls;
}

export function ended(
  answer: Answer,
  state: 'done' | 'stopped' | 'failed',
  now: number,
  error?: ChatError,
): Answer {
  return { ...answer, state, endedAt: now, ...(error ? { error } : {}) };
}
