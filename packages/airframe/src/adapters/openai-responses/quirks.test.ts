import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { json, type Script, scriptedServer, sse } from '../../../../../test/scripted-server.ts';
import { completed, created, events, text } from './__fixtures__/events.ts';
import { infer, messages, serving } from './__fixtures__/served.ts';

const { sent, serve } = serving();

const recorded = (name: string): Script => {
  return async response => {
    const bytes = await readFile(new URL(`./__fixtures__/${name}.sse`, import.meta.url));
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(bytes);
  };
};

describe('the Responses API', () => {
  it('response.queued may come ahead, and is no end', async () => {
    const queued = { type: 'response.queued', response: { id: 'resp_1', status: 'queued' } };
    const endpoint = await serve(events([created, queued, ...text(0, 'a'), completed()]));
    expect(await infer(endpoint)).toMatchObject({ text: 'a', finishReason: 'stop' });
  });

  it('output_text at the top level is the SDK’s own: text is read from the items', async () => {
    const content = [{ type: 'output_text', text: 'a' }];
    const body = { status: 'completed', output_text: 'b', output: [{ type: 'message', content }] };
    expect(await infer(await serve(json(200, body)), { stream: false })).toMatchObject({ text: 'a' });
  });

  it.each([501, 521, 529])('status %i: tried again above 501', async status => {
    const endpoint = await serve(json(status, { error: { message: 'why', code: null } }));
    expect((await infer(endpoint)).error).toMatchObject({ retryable: status > 501 });
  });

  it.each([301, 308])('a redirect %i is never followed with the key', async status => {
    const target = await scriptedServer(json(200, {}));
    try {
      const endpoint = await serve(response => {
        response.writeHead(status, { location: `${target.url}/v1/responses` }).end();
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

describe('llama-server behind /v1/responses', () => {
  it('sends events without sequence_number and output_index', async () => {
    expect(await infer(await serve(recorded('llama-server-text')))).toMatchObject({
      text: '2 + ',
      finishReason: 'stop',
      usage: { promptTokens: 15, completionTokens: 3, source: 'reported' },
    });
  });

  it('ends its thinking behind the text that follows, yet it goes back ahead of it', async () => {
    const { message, reasoning } = await infer(await serve(recorded('llama-server-reasoning')));
    expect(reasoning).toBe('\n2²!');
    if (!message) throw new Error('no message');
    const { body } = await sent({ messages: [...messages, message] });
    expect(body['input']).toMatchObject([
      { role: 'user' },
      { type: 'reasoning', content: [{ text: '\n2²!' }] },
      { role: 'assistant' },
    ]);
  });

  it('sends an error in a frame without type, its code a number', async () => {
    const error = { code: 500, message: 'slot broke', type: 'server_error' };
    expect(await infer(await serve(sse([created, { error }])))).toMatchObject({
      error: { category: 'backend', code: 'server_error', message: expect.stringContaining('slot broke') },
    });
  });

  it('tells a prompt that is too long by its own type, with both numbers', async () => {
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
});
