import { afterEach } from 'vitest';
import {
  json,
  type Script,
  type ScriptedServer,
  type SeenRequest,
  scriptedServer,
  sse,
} from '../../../test/scripted-server.ts';
import type { LLMProvider } from '../src/providers/base.ts';

/** An answer of Chat Completions: `Hello world`, 12 + 2 tokens. */
export const chatAnswer: Script = sse([
  { id: 'c1', model: 'gpt-4', choices: [{ index: 0, delta: { content: 'Hello' } }] },
  { id: 'c1', model: 'gpt-4', choices: [{ index: 0, delta: { content: ' world' } }] },
  { id: 'c1', model: 'gpt-4', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  {
    id: 'c1',
    model: 'gpt-4',
    choices: [],
    usage: { prompt_tokens: 12, completion_tokens: 2, total_tokens: 14 },
  },
  '[DONE]',
]);

/** An answer of the Responses API: `Hello`, 9 + 1 tokens. */
export const responsesAnswer: Script = sse([
  { type: 'response.created', response: { id: 'r1', model: 'gpt-4', status: 'in_progress' } },
  {
    type: 'response.output_item.added',
    output_index: 0,
    item: { id: 'm1', type: 'message', role: 'assistant', content: [] },
  },
  {
    type: 'response.output_text.delta',
    item_id: 'm1',
    output_index: 0,
    content_index: 0,
    delta: 'Hello',
  },
  {
    type: 'response.completed',
    response: {
      id: 'r1',
      model: 'gpt-4',
      status: 'completed',
      usage: { input_tokens: 9, output_tokens: 1, total_tokens: 10 },
    },
  },
]);

/** An answer of the Messages API: `Hello`. */
export const messagesStream = (usage: object): Script =>
  sse([
    {
      type: 'message_start',
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-4-5',
        content: [],
        usage,
      },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ]);

/** The same, of 12 + 1 tokens. */
export const messagesAnswer: Script = messagesStream({ input_tokens: 12, output_tokens: 1 });

/** Too busy, and to be asked again at once. */
export const busy: Script = json(503, { error: { message: 'busy' } }, { 'retry-after-ms': '1' });

/** Takes the request and never says a word. */
export const silent: Script = () => {};

export interface Served<Provider> {
  provider: Provider;
  /** The requests that came, oldest first. */
  seen: SeenRequest[];
}

/** For a test file: providers over servers of their own, all closed after each test. */
export function serving<Provider extends LLMProvider>(): (
  make: (url: string) => Provider,
  ...scripts: Script[]
) => Promise<Served<Provider>> {
  const opened: (Provider | ScriptedServer)[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });
  return async (make, ...scripts) => {
    const server = await scriptedServer(...scripts);
    opened.push(server);
    const provider = make(server.url);
    opened.unshift(provider);
    return { provider, seen: server.seen };
  };
}
