import { AirframeError } from './errors.ts';
import type { AssistantMessage, DoneEvent, InferenceStreamEvent, ReasoningPart, ToolCall } from './events.ts';

/** All events of a call, put together. */
export interface InferenceResult extends Omit<DoneEvent, 'type'> {
  text: string;
  reasoning: string;
  toolCalls: ToolCall[];
  /** The reply for the next request's history; absent when it did not come to a good end. */
  message?: AssistantMessage;
  /** Why it did not. */
  error?: AirframeError;
}

/** Thrown by {@link collect}: the error of the stream, and in `result` what had come before it. */
export class CollectError extends AirframeError {
  readonly result: InferenceResult;

  constructor(error: AirframeError, result: InferenceResult) {
    super(error.category, error.problem, { ...error, cause: error.cause });
    this.result = result;
  }
}

/**
 * Reads a stream to its end.
 *
 * @param options.throwOnError false: a failed call resolves too, with `error` set. Default true.
 * @throws CollectError when the stream holds an error; nothing that came before it is lost
 */
export async function collect(
  stream: AsyncIterable<InferenceStreamEvent>,
  options: { throwOnError?: boolean } = {},
): Promise<InferenceResult> {
  let text = '';
  const reasoning: ReasoningPart[] = [];
  const toolCalls: ToolCall[] = [];
  let message: AssistantMessage | undefined;
  let error: AirframeError | undefined;
  let done: DoneEvent | undefined;
  for await (const event of stream) {
    if (event.type === 'token') text += event.text;
    else if (event.type === 'reasoning') reasoning.push(event);
    else if (event.type === 'tool_call') toolCalls.push(event.call);
    else if (event.type === 'message') message = event.message;
    else if (event.type === 'error') error = event.error;
    else if (event.type === 'done') done = event;
  }
  if (!done)
    throw new AirframeError('unknown', 'the stream ended without a done event; it was closed by its reader');
  const { type: _, ...ending } = done;
  const result: InferenceResult = {
    ...ending,
    text,
    reasoning: reasoning.map(part => part.text).join(''),
    toolCalls,
    ...(message ? { message } : {}),
    ...(error ? { error } : {}),
  };
  if (error && options.throwOnError !== false) throw new CollectError(error, result);
  return result;
}
