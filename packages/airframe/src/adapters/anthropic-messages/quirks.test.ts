import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { json, type Script, scriptedServer } from '../../../../../test/scripted-server.ts';
import { delta, events, start, stop, text, toolUse } from './__fixtures__/events.ts';
import { infer, serving } from './__fixtures__/served.ts';

const { sent, serve } = serving();

const recorded = (name: string): Script => {
  return async response => {
    const bytes = await readFile(new URL(`./__fixtures__/${name}.sse`, import.meta.url));
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(bytes);
  };
};

describe('the Messages API', () => {
  it('max_tokens 0 only warms the cache, and is sent', async () => {
    const { body } = await sent({ extra: { max_tokens: 0 } });
    expect(body).toMatchObject({ max_tokens: 0 });
  });

  it('pause_turn is a stop, and the turn goes back as it came to be continued', async () => {
    const endpoint = await serve(events([start(), ...text(0, 'Searching.'), delta('pause_turn'), stop]));
    const { message, finishReason } = await infer(endpoint);
    expect(finishReason).toBe('stop');
    if (!message) throw new Error('no message');
    const { body } = await sent({ messages: [{ role: 'user', content: 'hi' }, message] });
    expect(body['messages']).toMatchObject([
      {},
      { role: 'assistant', content: [{ type: 'text', text: 'Searching.' }] },
    ]);
  });

  it('tool input streamed eagerly may not be JSON, and is kept as it is', async () => {
    const endpoint = await serve(
      events([start(), ...toolUse(0, 't1', '{"x":', ' oops'), delta('tool_use'), stop]),
    );
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'tool_calls',
      toolCalls: [{ arguments: '{"x": oops', parseError: expect.stringContaining('not valid JSON') }],
    });
  });

  it.each([301, 308])('a redirect %i is never followed with the key', async status => {
    const target = await scriptedServer(json(200, {}));
    try {
      const endpoint = await serve(response => {
        response.writeHead(status, { location: `${target.url}/v1/messages` }).end();
      });
      expect((await infer({ ...endpoint, apiKey: 'k-e-y' })).error).toMatchObject({
        category: 'not_found',
        status,
      });
      expect(target.seen).toHaveLength(0);
    } finally {
      await target.close();
    }
  });
});

describe('llama-server behind /v1/messages', () => {
  it('sends in an event named error the bare error', async () => {
    expect(await infer(await serve(recorded('llama-server-error')))).toMatchObject({
      finishReason: 'error',
      error: { category: 'backend', code: 'server_error', message: expect.stringContaining('peg-native') },
    });
  });

  it('answers errors without type:"error" at the top, and tells a prompt that is too long by its own type', async () => {
    const error = {
      code: 400,
      message: 'm',
      type: 'exceed_context_size_error',
      n_prompt_tokens: 289,
      n_ctx: 256,
    };
    expect(await infer(await serve(json(400, { error })))).toMatchObject({
      error: { category: 'context_length', promptTokens: 289, contextTokens: 256, retryable: false },
    });
  });

  it('starts a tool_use block without input', async () => {
    expect(await infer(await serve(recorded('llama-server-tool-use')))).toMatchObject({
      toolCalls: [{ name: 'wx', input: { unit: 'ß' } }],
      finishReason: 'length',
    });
  });

  it('signs thinking with an empty signature, which is none', async () => {
    const { message } = await infer(await serve(recorded('llama-server-thinking')));
    expect(message?.reasoning).toEqual([{ text: '\n2 + 2 = 4.' }]);
  });

  it('keeps cached tokens out of input_tokens, and has only output_tokens in message_delta', async () => {
    expect(await infer(await serve(recorded('llama-server-thinking')))).toMatchObject({
      usage: { promptTokens: 23, cachedTokens: 22, completionTokens: 9, source: 'reported' },
    });
  });
});
