// One reply as each kind of upstream tells it, and a gateway in front of such an upstream: so that the protocol of a
// client and that of its upstream cross.
import { onTestFinished } from 'vitest';
import { type Script, type ScriptedServer, scriptedServer, sse } from '../../../test/scripted-server.ts';
import type { Config } from '../src/config/schema.ts';
import { type RunningGateway, runGateway } from './running-gateway.ts';
import { delta } from './upstreams.ts';

export const KINDS = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const;
export type Kind = (typeof KINDS)[number];

export interface Reply {
  thinking?: string;
  /** Pieces of the text. */
  text?: string[];
  /** Arguments in pieces. */
  calls?: { id: string; name: string; arguments: string[] }[];
  cut?: boolean;
  usage?: { prompt: number; completion: number; cached?: number };
}

/** 12 + 5 tokens, unless the reply says otherwise. */
const USAGE = { prompt: 12, completion: 5, cached: 0 };

/** What an upstream of OpenAI's or Anthropic's encrypts or signs its thinking with. */
export const SIGNATURE = 'c2lnbmVk';

export const helloReply: Reply = { text: ['Hello', ' world'] };
export const weatherReply: Reply = {
  text: ['Let me look.'],
  calls: [{ id: 'call_1', name: 'get_weather', arguments: ['{"city":', '"Oslo"}'] }],
};
export const coldReply: Reply = { text: ['It is ', 'cold in Oslo.'] };
export const thoughtReply: Reply = { thinking: 'Two and two', text: ['4'] };
/** Of the form `{"sum": 3}`. */
export const sumReply: Reply = { text: ['{"sum"', ':3}'] };

/** US dollars of a thousand tokens; of a {@link helloReply} 0.022. */
export const PRICES = { 'up-model': { prompt: 1, completion: 2 } };

const provider = (kind: Kind, url: string): Config['providers'][string] => {
  switch (kind) {
    case 'openai-chat':
      return { type: 'openai', baseUrl: `${url}/v1`, maxRetries: 0 };
    case 'openai-responses':
      return { type: 'openai', api: 'responses', baseUrl: `${url}/v1`, maxRetries: 0 };
    case 'anthropic-messages':
      return { type: 'anthropic', baseUrl: url, maxRetries: 0 };
  }
};

export interface Pair {
  gateway: RunningGateway;
  upstream: ScriptedServer;
}

/** A gateway whose model `fast` is `up-model` of an upstream of this kind, which answers with these one by one. */
export async function gatewayOver(kind: Kind, ...answers: (Reply | Script)[]): Promise<Pair> {
  const scripts = answers.map(answer => (typeof answer === 'function' ? answer : scriptOf(kind, answer)));
  const upstream = await scriptedServer(...scripts);
  onTestFinished(() => upstream.close());
  const gateway = await runGateway({
    providers: { up: provider(kind, upstream.url) },
    models: { fast: { targets: [{ provider: 'up', model: 'up-model' }] } },
    prices: { openai: PRICES, anthropic: PRICES },
  });
  return { gateway, upstream };
}

export function scriptOf(kind: Kind, reply: Reply): Script {
  switch (kind) {
    case 'openai-chat':
      return chatScript(reply);
    case 'openai-responses':
      return responsesScript(reply);
    case 'anthropic-messages':
      return messagesScript(reply);
  }
}

function chatScript({ thinking, text = [], calls = [], cut, usage }: Reply): Script {
  const { prompt, completion, cached = 0 } = usage ?? USAGE;
  const begin = calls.map(({ id, name }, index) =>
    delta({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }),
  );
  const pieces = calls.flatMap(({ arguments: args }, index) =>
    args.map(piece => delta({ tool_calls: [{ index, function: { arguments: piece } }] })),
  );
  return sse([
    delta({ role: 'assistant', content: '' }),
    ...(thinking ? [delta({ reasoning_content: thinking })] : []),
    ...text.map(content => delta({ content })),
    ...begin,
    ...pieces,
    delta({}, cut ? 'length' : calls.length > 0 ? 'tool_calls' : 'stop'),
    {
      id: 'chatcmpl-up',
      model: 'up-model',
      choices: [],
      usage: {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: prompt + completion,
        prompt_tokens_details: { cached_tokens: cached },
      },
    },
    '[DONE]',
  ]);
}

function responsesScript({ thinking, text = [], calls = [], cut, usage }: Reply): Script {
  const { prompt, completion, cached = 0 } = usage ?? USAGE;
  const response = { id: 'resp_up', model: 'up-model' };
  let index = -1;
  const events: object[] = [{ type: 'response.created', response: { ...response, status: 'in_progress' } }];
  const item = (fields: { id: string; type: string }, deltas: object[], done: object) => {
    index++;
    const at = { output_index: index, item_id: fields.id };
    events.push({ type: 'response.output_item.added', output_index: index, item: fields });
    events.push(...deltas.map(one => ({ ...at, ...one })));
    events.push({ type: 'response.output_item.done', output_index: index, item: { ...fields, ...done } });
  };
  if (thinking) {
    const summary = [{ type: 'summary_text', text: thinking }];
    const deltas = [{ type: 'response.reasoning_summary_text.delta', summary_index: 0, delta: thinking }];
    item({ id: 'rs_up', type: 'reasoning' }, deltas, { summary, encrypted_content: SIGNATURE });
  }
  if (text.length > 0) {
    const deltas = text.map(piece => ({
      type: 'response.output_text.delta',
      content_index: 0,
      delta: piece,
    }));
    item({ id: 'msg_up', type: 'message' }, deltas, {
      role: 'assistant',
      content: [{ type: 'output_text', text: text.join('') }],
    });
  }
  for (const { id, name, arguments: args } of calls) {
    const deltas = args.map(piece => ({ type: 'response.function_call_arguments.delta', delta: piece }));
    const call = { id: `fc_${id}`, type: 'function_call', call_id: id, name };
    item(call, deltas, { arguments: args.join('') });
  }
  const status = cut ? 'incomplete' : 'completed';
  events.push({
    type: `response.${status}`,
    response: {
      ...response,
      status,
      ...(cut ? { incomplete_details: { reason: 'max_output_tokens' } } : {}),
      usage: {
        input_tokens: prompt,
        input_tokens_details: { cached_tokens: cached },
        output_tokens: completion,
        total_tokens: prompt + completion,
      },
    },
  });
  return sse(events);
}

function messagesScript({ thinking, text = [], calls = [], cut, usage }: Reply): Script {
  const { prompt, completion, cached = 0 } = usage ?? USAGE;
  let index = -1;
  const counted = { input_tokens: prompt - cached, cache_read_input_tokens: cached };
  const message = { id: 'msg_up', type: 'message', role: 'assistant', model: 'up-model', content: [] };
  const events: object[] = [
    { type: 'message_start', message: { ...message, usage: { ...counted, output_tokens: 1 } } },
  ];
  const block = (content_block: object, deltas: object[]) => {
    index++;
    events.push({ type: 'content_block_start', index, content_block });
    events.push(...deltas.map(one => ({ type: 'content_block_delta', index, delta: one })));
    events.push({ type: 'content_block_stop', index });
  };
  if (thinking) {
    block({ type: 'thinking', thinking: '', signature: '' }, [
      { type: 'thinking_delta', thinking },
      { type: 'signature_delta', signature: SIGNATURE },
    ]);
  }
  if (text.length > 0) {
    const deltas = text.map(piece => ({ type: 'text_delta', text: piece }));
    block({ type: 'text', text: '' }, deltas);
  }
  for (const { id, name, arguments: args } of calls) {
    const deltas = args.map(piece => ({ type: 'input_json_delta', partial_json: piece }));
    block({ type: 'tool_use', id, name, input: {} }, deltas);
  }
  const stop_reason = cut ? 'max_tokens' : calls.length > 0 ? 'tool_use' : 'end_turn';
  events.push({ type: 'message_delta', delta: { stop_reason }, usage: { output_tokens: completion } });
  events.push({ type: 'message_stop' });
  return sse(events);
}
