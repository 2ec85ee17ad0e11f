// The protocols as their clients see them: how a question is put, and what an answer was.
import { seen } from '../../../../test/seen.ts';
import { type Answer, eventsOf } from './client.ts';

/** What a client has to make of an answer. */
export interface Told {
  /**
   * `whole`: it has its end signal and its end of the body, and no error. `error`: it tells one in the protocol's form,
   * has no end signal, and a stream breaks off. `muddled`: anything else, such as what looks like a success and is none.
   */
  outcome: 'whole' | 'error' | 'muddled';
  text: string;
  calls: { id: string; name: string; arguments: string }[];
  /** Prompt and completion tokens. */
  usage?: [number, number];
  error?: { type: string; message: string };
}

/** One protocol. */
export interface Spoken {
  name: string;
  path: string;
  /** Whether it knows of tools. */
  tools: boolean;
  ask(stream: boolean, prompt?: string): Record<string, unknown>;
  /** What a good body, or the events of a good stream, say. */
  content(parts: Json[], stream: boolean): Pick<Told, 'text' | 'calls' | 'usage'>;
  /** Whether an event is one that clients take for the good end. */
  isEnd(event: Json | '[DONE]'): boolean;
  /** An error as it stands in a body, or in an event. */
  errorIn(json: Json): { type: string; message: string } | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: answers of four protocols, read by tests alone.
export type Json = Record<string, any>;

/** What the client of a protocol has to make of an answer. */
export function read(protocol: Spoken, answer: Answer, stream: boolean): Told {
  const told = toldBy(protocol, answer, stream);
  const { outcome, text, calls } = told;
  seen({ of: 'told', stream, status: answer.status, outcome, chars: text.length, calls: calls.length });
  return told;
}

function toldBy(protocol: Spoken, answer: Answer, stream: boolean): Told {
  if (!stream || answer.status !== 200) return readBody(protocol, answer);
  const datas = eventsOf(answer.text).map(({ data }) => data);
  const events = datas.filter(data => data !== '[DONE]').map(data => JSON.parse(data) as Json);
  const ended = datas.includes('[DONE]') || events.some(event => protocol.isEnd(event));
  const [error] = events.flatMap(event => protocol.errorIn(event) ?? []);
  const content = protocol.content(events, true);
  if (error) return { ...content, error, outcome: ended || answer.whole ? 'muddled' : 'error' };
  const hasEnd = datas.includes('[DONE]')
    ? protocol.isEnd('[DONE]')
    : events.some(one => protocol.isEnd(one));
  return { ...content, outcome: ended && hasEnd && answer.whole ? 'whole' : 'muddled' };
}

function readBody(protocol: Spoken, { status, text, whole }: Answer): Told {
  const body = JSON.parse(text) as Json;
  const error = protocol.errorIn(body);
  if (status !== 200) {
    const none = { text: '', calls: [] };
    return error && whole ? { ...none, error, outcome: 'error' } : { ...none, outcome: 'muddled' };
  }
  const outcome = whole && !error ? 'whole' : 'muddled';
  return { ...protocol.content([body], false), outcome };
}

const TOOL_SCHEMA = { type: 'object', properties: { city: { type: 'string' } } };

const openAIError: Spoken['errorIn'] = ({ error, object, type }) =>
  error && !object && !type && typeof error.message === 'string' ? error : undefined;

function openAIUsage(parts: Json[]): Pick<Told, 'usage'> {
  const usage = parts.findLast(part => part['usage'])?.['usage'];
  return usage ? { usage: [usage.prompt_tokens, usage.completion_tokens] } : {};
}

const chat: Spoken = {
  name: 'chat completions',
  path: '/v1/chat/completions',
  tools: true,
  ask: (stream, prompt = 'Say hello') => ({
    model: 'fast',
    messages: [{ role: 'user', content: prompt }],
    tools: [{ type: 'function', function: { name: 'get_weather', parameters: TOOL_SCHEMA } }],
    ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
  }),
  content(parts) {
    const pieces = parts.map(part => part['choices']?.[0]?.delta ?? part['choices']?.[0]?.message ?? {});
    const calls: Told['calls'] = [];
    for (const { index, id, function: one } of pieces.flatMap(piece => piece.tool_calls ?? [])) {
      const at = index ?? calls.length;
      // As strict clients do it: the first piece names the call, or nothing does.
      calls[at] ??= { id: id ?? '', name: one.name ?? '', arguments: '' };
      calls[at].arguments += one.arguments;
    }
    return { text: pieces.map(piece => piece.content ?? '').join(''), calls, ...openAIUsage(parts) };
  },
  isEnd: event => event === '[DONE]' || Boolean(event['choices']?.[0]?.finish_reason),
  errorIn: openAIError,
};

const completions: Spoken = {
  name: 'completions',
  path: '/v1/completions',
  tools: false,
  ask: (stream, prompt = 'Say hello') => ({
    model: 'fast',
    prompt,
    ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
  }),
  content: parts => ({
    text: parts.map(part => part['choices']?.[0]?.text ?? '').join(''),
    calls: [],
    ...openAIUsage(parts),
  }),
  isEnd: chat.isEnd,
  errorIn: openAIError,
};

const responses: Spoken = {
  name: 'responses',
  path: '/v1/responses',
  tools: true,
  ask: (stream, prompt = 'Say hello') => ({
    model: 'fast',
    input: prompt,
    tools: [{ type: 'function', name: 'get_weather', parameters: TOOL_SCHEMA }],
    ...(stream ? { stream } : {}),
  }),
  content(parts, stream) {
    const last = stream ? parts.findLast(part => part['response']?.output)?.['response'] : parts[0];
    const deltas = parts.filter(part => part['type'] === 'response.output_text.delta');
    const items: Json[] = last?.output ?? [];
    const texts = items.filter(item => item['type'] === 'message').flatMap(item => item['content']);
    const calls = items
      .filter(item => item['type'] === 'function_call')
      .map(({ call_id: id, name, arguments: args }) => ({ id, name, arguments: args }));
    const text = (stream ? deltas.map(part => part['delta']) : texts.map(part => part.text)).join('');
    const { usage } = last ?? {};
    return { text, calls, ...(usage ? { usage: [usage.input_tokens, usage.output_tokens] } : {}) };
  },
  isEnd: event => event !== '[DONE]' && /^response\.(completed|incomplete)$/.test(event['type']),
  errorIn: json => {
    if (json['type'] === 'error') return { ...json['error'], message: json['message'] };
    return json['error'] && !json['object'] && !json['type'] ? json['error'] : undefined;
  },
};

const messages: Spoken = {
  name: 'messages',
  path: '/v1/messages',
  tools: true,
  ask: (stream, prompt = 'Say hello') => ({
    model: 'fast',
    max_tokens: 100,
    messages: [{ role: 'user', content: prompt }],
    tools: [{ name: 'get_weather', input_schema: TOOL_SCHEMA }],
    ...(stream ? { stream } : {}),
  }),
  content(parts, stream) {
    const blocks: Json[] = stream ? blocksOf(parts) : (parts[0]?.['content'] ?? []);
    const usage = parts.findLast(part => part['usage'])?.['usage'];
    return {
      text: blocks.map(block => block['text'] ?? '').join(''),
      calls: blocks
        .filter(block => block['type'] === 'tool_use')
        .map(({ id, name, input, json }) => ({ id, name, arguments: json ?? JSON.stringify(input) })),
      ...(usage ? { usage: [usage.input_tokens, usage.output_tokens] } : {}),
    };
  },
  isEnd: event =>
    event !== '[DONE]' && (event['type'] === 'message_stop' || Boolean(event['delta']?.stop_reason)),
  errorIn: json => (json['type'] === 'error' && json['error']?.message ? json['error'] : undefined),
};

function blocksOf(events: Json[]): Json[] {
  const blocks: Json[] = [];
  for (const { type, index, content_block: block, delta } of events) {
    if (type === 'content_block_start') blocks[index] = { ...block, json: '' };
    const open = blocks[index];
    if (type === 'content_block_delta' && open) {
      if (delta.type === 'text_delta') open['text'] += delta.text;
      if (delta.type === 'input_json_delta') open['json'] += delta.partial_json;
    }
  }
  return blocks;
}

export const SPOKEN: readonly Spoken[] = [chat, completions, responses, messages];
export const CHAT: Spoken = chat;

/** Each protocol, whole and streamed. */
export const MODES: readonly { protocol: Spoken; stream: boolean; mode: string }[] = SPOKEN.flatMap(
  protocol =>
    [false, true].map(stream => ({
      protocol,
      stream,
      mode: `${protocol.name}${stream ? ', streamed' : ''}`,
    })),
);
