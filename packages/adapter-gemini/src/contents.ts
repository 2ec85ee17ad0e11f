import {
  AirframeError,
  type AssistantMessage,
  type Message,
  type ToolCall,
  type ToolMessage,
  type UserMessage,
} from '@x/airframe';
import { decodeSignature } from './signatures.ts';
import type { WireContent, WirePart } from './wire.ts';

/** The text of all system messages, wherever they stand; undefined without one. */
export function systemInstructionOf(messages: readonly Message[]): WireContent | undefined {
  const parts = messages.flatMap(message => (message.role === 'system' ? [{ text: message.content }] : []));
  return parts.length > 0 ? { parts } : undefined;
}

/**
 * The chat as turns of parts. Neighbours of one role are one turn, and tool results belong to the user: the results of
 * parallel calls have to be in one turn, right behind the calls.
 * @param callPlaceholder signature for a turn's first tool call when it has none of this API
 * @throws AirframeError (invalid_request) for what the API has no form for
 */
export function contentsOf(messages: readonly Message[], callPlaceholder: string | undefined): WireContent[] {
  const contents: { role: 'user' | 'model'; parts: WirePart[] }[] = [];
  const add = (role: 'user' | 'model', parts: WirePart[]): void => {
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else if (parts.length > 0) contents.push({ role, parts });
  };
  // A result names its call by id alone, and the API wants the function's name as well.
  const names = new Map<string, string>();
  for (const message of messages) {
    if (message.role === 'user') add('user', userParts(message));
    if (message.role === 'tool') add('user', [functionResponse(message, names)]);
    if (message.role === 'assistant') {
      for (const { id, name } of message.toolCalls ?? []) names.set(id, name);
      add('model', modelParts(message, callPlaceholder));
    }
  }
  return contents;
}

function userParts({ content }: UserMessage): WirePart[] {
  if (typeof content === 'string') return [{ text: content }];
  return content.map(part => (part.type === 'text' ? { text: part.text } : imagePart(part.url)));
}

/** The API fetches what a URL names; for `data:` it wants base64. */
function imagePart(url: string): WirePart {
  if (!url.startsWith('data:')) return { fileData: { fileUri: url } };
  const [, mimeType, data] = /^data:([^;,]+)(?:;[^;,]*)*;base64,(.*)$/s.exec(url) ?? [];
  if (mimeType === undefined || data === undefined) {
    throw new AirframeError(
      'invalid_request',
      'an image is given as a data: URL without a media type or not in base64',
      { remedy: 'write it as data:image/png;base64,…' },
    );
  }
  return { inlineData: { mimeType, data } };
}

/** `output` and `error` are the keys that the API knows (js-genai src/types.ts, FunctionResponse). */
function functionResponse(
  { toolCallId: id, content, isError }: ToolMessage,
  names: ReadonlyMap<string, string>,
): WirePart {
  const name = names.get(id);
  if (name === undefined) {
    const problem = `the tool result for ${id} answers no tool call before it, and Gemini wants the function's name`;
    throw new AirframeError('invalid_request', problem, {
      remedy: 'put the assistant message with that call before it',
    });
  }
  return { functionResponse: { id, name, response: isError ? { error: content } : { output: content } } };
}

/** What was signed goes back in its place; signatures of other backends and unsigned thoughts are left out. */
function modelParts(
  { content, reasoning = [], toolCalls = [] }: AssistantMessage,
  callPlaceholder: string | undefined,
): WirePart[] {
  const parts: WirePart[] = [];
  let chars = 0;
  let calls = 0;
  const textUpTo = (end: number, thoughtSignature?: string): void => {
    const text = content.slice(chars, end);
    chars = Math.max(chars, end);
    if (thoughtSignature !== undefined) parts.push({ text, thoughtSignature });
    else if (text !== '') parts.push({ text });
  };
  /** @param before text that precedes the first call, when its signature does not say */
  const callsUpTo = (end: number, before: number): void => {
    for (const call of toolCalls.slice(calls, end)) {
      const signed = decodeSignature(call.signature);
      textUpTo(signed?.chars ?? (calls === 0 ? before : chars));
      const thoughtSignature = signed?.value ?? (calls === 0 ? callPlaceholder : undefined);
      parts.push({ functionCall: functionCall(call), ...(thoughtSignature && { thoughtSignature }) });
      calls++;
    }
  };
  for (const { text, signature } of reasoning) {
    const signed = decodeSignature(signature);
    if (!signed) continue;
    callsUpTo(signed.calls, signed.chars);
    textUpTo(signed.chars);
    if (signed.kind === 'text') textUpTo(signed.chars + signed.length, signed.value);
    else parts.push({ text, thought: true, thoughtSignature: signed.value });
  }
  callsUpTo(toolCalls.length, content.length);
  textUpTo(content.length);
  return parts;
}

/** The API takes an object, not its text. */
function functionCall({ id, name, arguments: text }: ToolCall): NonNullable<WirePart['functionCall']> {
  let args: unknown;
  try {
    args = text === '' ? {} : JSON.parse(text);
  } catch {
    args = undefined;
  }
  if (typeof args === 'object' && args !== null && !Array.isArray(args)) return { id, name, args };
  const problem = `the arguments of tool call ${id} (${name}) are not a JSON object, and Gemini takes no other`;
  throw new AirframeError('invalid_request', problem, {
    remedy: 'correct them in messages, or leave out the call and its result',
  });
}
