// What scripted upstreams answer with: OpenAI's Chat Completions, which every test of faults uses.
import { json, type Script, sse } from '../../../test/scripted-server.ts';

const frame = { id: 'chatcmpl-up', object: 'chat.completion.chunk', created: 1, model: 'up-model' };

export const delta = (fields: object, finish: string | null = null): object => ({
  ...frame,
  choices: [{ index: 0, delta: fields, finish_reason: finish }],
});

export const usage = (prompt: number, completion: number): object => ({
  ...frame,
  choices: [],
  usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
});

/** `Hello world`, 12 + 2 tokens. */
export const hello: Script = sse([
  delta({ role: 'assistant', content: '' }),
  delta({ content: 'Hello' }),
  delta({ content: ' world' }),
  delta({}, 'stop'),
  usage(12, 2),
  '[DONE]',
]);

/** A call of `get_weather` for Oslo. */
export const weatherCall: Script = sse([
  delta({
    tool_calls: [
      { index: 0, id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '' } },
    ],
  }),
  delta({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
  delta({ tool_calls: [{ index: 0, function: { arguments: '"Oslo"}' } }] }),
  delta({}, 'tool_calls'),
  usage(20, 9),
  '[DONE]',
]);

/** Answers with this text in one piece. */
export const says = (text: string): Script =>
  sse([delta({ content: text }), delta({}, 'stop'), usage(5, 5), '[DONE]']);

export const failing = (status: number, headers: Record<string, string> = {}): Script =>
  json(status, { error: { message: `status ${status}`, type: 'server_error', code: null } }, headers);
