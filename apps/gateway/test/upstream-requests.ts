// What an upstream of each kind was asked, in the same words for all of them.
import type { SeenRequest } from '../../../test/scripted-server.ts';
import type { Kind } from './kinds.ts';

export interface UpstreamRequest {
  path: string;
  model: unknown;
  /** Names of the tools on offer. */
  tools: string[];
  /** Results of tools, in their order. */
  results: { id: string; content: string }[];
  /** Images by their URLs; what is inline as a data: URL. */
  images: string[];
  /** Thinking of earlier turns. */
  thinking: { text: string; signature: unknown }[];
  /** Schema of the answer. */
  schema: unknown;
}

type Json = Record<string, unknown>;

/** @param seen undefined: fails, for the upstream was not asked */
export function readUpstream(kind: Kind, seen: SeenRequest | undefined): UpstreamRequest {
  if (!seen) throw new Error('the upstream was not asked');
  const body = seen.body as Json;
  const read = READERS[kind](body);
  return { path: seen.path, model: body['model'], ...read };
}

const READERS: Readonly<Record<Kind, (body: Json) => Omit<UpstreamRequest, 'path' | 'model'>>> = {
  'openai-chat': body => {
    const messages = list(body['messages']);
    return {
      tools: list(body['tools']).map(tool => String(object(tool['function'])['name'])),
      results: messages
        .filter(({ role }) => role === 'tool')
        .map(({ tool_call_id: id, content }) => ({ id: String(id), content: textOf(content) })),
      images: messages
        .flatMap(({ content }) => list(content))
        .filter(({ type }) => type === 'image_url')
        .map(({ image_url: image }) => String(object(image)['url'])),
      thinking: messages
        .filter(({ reasoning_content: text }) => text !== undefined)
        .map(({ reasoning_content: text }) => ({ text: String(text), signature: undefined })),
      schema: object(object(body['response_format'])['json_schema'])['schema'],
    };
  },
  'openai-responses': body => {
    const items = list(body['input']);
    return {
      tools: list(body['tools']).map(({ name }) => String(name)),
      results: items
        .filter(({ type }) => type === 'function_call_output')
        .map(({ call_id: id, output }) => ({ id: String(id), content: textOf(output) })),
      images: items
        .flatMap(({ content }) => list(content))
        .filter(({ type }) => type === 'input_image')
        .map(({ image_url: url }) => String(url)),
      thinking: items
        .filter(({ type }) => type === 'reasoning')
        .map(({ summary, encrypted_content: signature }) => ({ text: textOf(summary), signature })),
      schema: object(object(body['text'])['format'])['schema'],
    };
  },
  'anthropic-messages': body => {
    const blocks = list(body['messages']).flatMap(({ content }) => list(content));
    return {
      tools: list(body['tools']).map(({ name }) => String(name)),
      results: blocks
        .filter(({ type }) => type === 'tool_result')
        .map(({ tool_use_id: id, content }) => ({ id: String(id), content: textOf(content) })),
      images: blocks
        .filter(({ type }) => type === 'image')
        .map(({ source }) => {
          const { type, url, media_type, data } = object(source);
          return type === 'url' ? String(url) : `data:${media_type};base64,${data}`;
        }),
      thinking: blocks
        .filter(({ type }) => type === 'thinking')
        .map(({ thinking, signature }) => ({ text: String(thinking), signature })),
      schema: object(object(body['output_config'])['format'])['schema'],
    };
  },
};

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function list(value: unknown): Json[] {
  return Array.isArray(value) ? (value as Json[]) : [];
}

function textOf(content: unknown): string {
  return typeof content === 'string'
    ? content
    : list(content)
        .map(part => String(part['text']))
        .join('');
}
