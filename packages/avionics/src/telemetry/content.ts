import {
  type AssistantMessage,
  type FinishReason,
  type ImagePart,
  type Message,
  redact,
  type ToolCall,
} from '@x/airframe';
import type { AnyRequest } from './attributes.ts';
import type { Facts } from './names.ts';

/*
 * Prompts and answers in the JSON form of the conventions (v1.41.1, gen-ai-input-messages.json and
 * gen-ai-output-messages.json): `[{role, parts: [{type, …}], finish_reason?}]`.
 */

type Part = { type: string } & Record<string, unknown>;

const text = (content: string): Part => ({ type: 'text', content });

/** What a request says. Keys that stand in it are masked; images that stand in it are left out. */
export function contentOfRequest(request: AnyRequest): Facts {
  if ('input' in request) return {};
  const { messages, prompt, tools } = request;
  if (messages === undefined) return { inputMessages: json([{ role: 'user', parts: [text(prompt)] }]) };
  const turns = messages.findIndex(({ role }) => role !== 'system');
  const system = messages.slice(0, turns < 0 ? messages.length : turns);
  const rest = messages.slice(system.length);
  return {
    systemInstructions: system.length > 0 ? json(system.flatMap(partsOf)) : undefined,
    inputMessages:
      rest.length > 0
        ? json(rest.map(message => ({ role: message.role, parts: partsOf(message) })))
        : undefined,
    toolDefinitions: tools?.length ? json(tools.map(tool => ({ type: 'function', ...tool }))) : undefined,
  };
}

/** What an answer says. */
export function contentOfReply(message: AssistantMessage, finishReason: FinishReason | undefined): Facts {
  const finish_reason = FINISH_REASONS[finishReason ?? 'error'] ?? 'error';
  return { outputMessages: json([{ role: 'assistant', parts: partsOf(message), finish_reason }]) };
}

/** The conventions' words; any other end is an `error`. */
const FINISH_REASONS: Partial<Record<FinishReason, string>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_call',
  content_filter: 'content_filter',
};

function partsOf(message: Message): Part[] {
  switch (message.role) {
    case 'system':
      return [text(message.content)];
    case 'user':
      return typeof message.content === 'string'
        ? [text(message.content)]
        : message.content.map(part => (part.type === 'text' ? text(part.text) : imagePart(part)));
    case 'assistant':
      return [
        ...(message.reasoning ?? []).map(part => ({ type: 'reasoning', content: part.text })),
        ...(message.content === '' ? [] : [text(message.content)]),
        ...(message.toolCalls ?? []).map(callPart),
      ];
    case 'tool':
      return [{ type: 'tool_call_response', id: message.toolCallId, response: message.content }];
  }
}

function callPart({ id, name, arguments: written }: ToolCall): Part {
  return { type: 'tool_call', id, name, arguments: parsed(written) };
}

function parsed(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    return written;
  }
}

function imagePart({ url }: ImagePart): Part {
  const [, mime_type, data] = /^data:([^;,]*)[^,]*,(.*)$/s.exec(url) ?? [];
  if (data === undefined) return { type: 'uri', modality: 'image', uri: url };
  return { type: 'blob', modality: 'image', mime_type, content: `(${data.length} characters left out)` };
}

function json(value: unknown): string {
  return redact(JSON.stringify(value), []);
}
