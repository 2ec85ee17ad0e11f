import { afterEach, describe, expect, it } from 'vitest';
import { json, type ScriptedServer, scriptedServer, sse } from '../../../../../test/scripted-server.ts';
import { collect, type InferenceResult } from '../../collect.ts';
import { openAIChatAdapter } from './index.ts';

const adapter = openAIChatAdapter();

let server: ScriptedServer;
afterEach(() => server.close());

async function read(script: Parameters<typeof scriptedServer>[0], stream = true): Promise<InferenceResult> {
  server = await scriptedServer(script);
  const endpoint = { name: 'chat', backendKind: 'openai_chat', baseUrl: `${server.url}/v1` };
  const request = { messages: [{ role: 'user' as const, content: 'hi' }], stream };
  return collect(adapter.streamInfer(endpoint, request), { throwOnError: false });
}
const events = (...payloads: (object | string)[]) => read(sse(payloads));
const raw = (text: string, type = 'text/event-stream') =>
  read(response => {
    response.writeHead(200, { 'content-type': type });
    response.end(text);
  });

const chunk = (delta: object | null, finish: string | null = null) => ({
  id: 'c1',
  model: 'm-2026',
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const a = chunk({ content: 'a' });
const stop = chunk({}, 'stop');
const ofCall = (fields: object) => chunk({ tool_calls: [fields] });

describe('framing', () => {
  it.each([
    [
      'comment lines (OpenRouter, DeepSeek)',
      `: OPENROUTER PROCESSING\n\n:\n\ndata: ${JSON.stringify(a)}\n\n`,
    ],
    ['data: without a space', `data:${JSON.stringify(a)}\n\n`],
    ['CRLF', `data: ${JSON.stringify(a)}\r\n\r\n`],
    ['an empty data line', `data:\n\ndata: ${JSON.stringify(a)}\n\n`],
    ['an event name that says nothing', `event: message\ndata: ${JSON.stringify(a)}\n\n`],
  ])('%s', async (_quirk, text) => {
    expect(await raw(`${text}data: ${JSON.stringify(stop)}\n\n`)).toMatchObject({
      text: 'a',
      finishReason: 'stop',
    });
  });

  it('[DONE] missing after finish_reason is a good end', async () => {
    expect(await events(a, stop)).toMatchObject({ text: 'a', finishReason: 'stop' });
  });

  it('[DONE] without finish_reason is stop, or tool_calls when there are calls', async () => {
    expect(await events(a, '[DONE]')).toMatchObject({ text: 'a', finishReason: 'stop' });
    await server.close();
    const call = ofCall({ index: 0, id: 'x', function: { name: 'f', arguments: '{}' } });
    expect(await events(call, '[DONE]')).toMatchObject({ finishReason: 'tool_calls' });
  });

  it('[DONE] after nothing at all is truncated', async () => {
    expect(await events(chunk({ role: 'assistant', content: '' }), '[DONE]')).toMatchObject({
      finishReason: 'truncated',
    });
  });

  it('Ollama’s empty chunk then EOF is truncated', async () => {
    expect(await events(a, chunk({ role: 'assistant', content: '' }))).toMatchObject({
      text: 'a',
      finishReason: 'truncated',
      error: { code: 'truncated' },
      usage: { source: 'estimated' },
    });
  });

  it('data after [DONE], and what follows it in the same line, are ignored', async () => {
    expect(await events(a, stop, '[DONE] bye', '{"broken', a)).toMatchObject({
      text: 'a',
      finishReason: 'stop',
    });
  });

  it('a plain-text error in data is a parse error with an excerpt', async () => {
    expect(await events(a, 'upstream went away')).toMatchObject({
      text: 'a',
      error: { category: 'parse', message: expect.stringContaining('upstream went away') },
    });
  });

  it.each(['null', '[]', '7'])('%s where an object belongs is a parse error', async data => {
    expect(await events(data)).toMatchObject({ error: { category: 'parse' } });
  });

  it('a JSON body although stream:true is read as the whole answer', async () => {
    const body = { id: 'c1', choices: [{ index: 0, message: { content: 'a' }, finish_reason: 'length' }] };
    expect(await read(json(200, body))).toMatchObject({
      text: 'a',
      finishReason: 'length',
      responseId: 'c1',
    });
  });

  it('blank lines ahead of a JSON body (DeepSeek)', async () => {
    const body = JSON.stringify({ choices: [{ message: { content: 'a' }, finish_reason: 'stop' }] });
    expect(await raw(`\n\n\n${body}`, 'application/json')).toMatchObject({ text: 'a', finishReason: 'stop' });
  });

  it('a JSON body without finish_reason is whole, one without choices is not an answer', async () => {
    expect(await read(json(200, { choices: [{ message: { content: 'a' } }] }), false)).toMatchObject({
      text: 'a',
      finishReason: 'stop',
    });
    await server.close();
    expect(await read(json(200, { id: 'x' }), false)).toMatchObject({ error: { category: 'parse' } });
  });
});

describe('errors inside a 200', () => {
  it('error in a 200 body (OpenRouter)', async () => {
    expect(await read(json(200, { error: { code: 402, message: 'no credits' } }), false)).toMatchObject({
      error: { category: 'quota', message: expect.stringContaining('no credits') },
    });
  });

  it('an error frame then [DONE] (vLLM) is an error, after the text that came', async () => {
    const error = { error: { message: 'engine died', type: 'InternalServerError', code: 500 } };
    expect(await events(a, error, '[DONE]')).toMatchObject({
      text: 'a',
      finishReason: 'error',
      error: { category: 'backend', retryable: true },
    });
  });

  it('an error frame beside finish_reason error (OpenRouter)', async () => {
    const frame = { ...chunk({ content: '' }, 'error'), error: { code: 502, message: 'disconnected' } };
    expect(await events(a, frame)).toMatchObject({ error: { category: 'overloaded' } });
  });

  it('a connection left open after an error frame is closed', async () => {
    const result = await read(sse([{ error: 'as a string' }], { end: false }));
    expect(result.error?.message).toContain('as a string');
    await expect.poll(() => server.sockets.size).toBe(0);
  });

  it.each([
    ['OpenAI’s form', '{"error":{"message":"why","code":"insufficient_quota"}}', 'quota'],
    ['the error without its frame', '{"message":"why","code":429}', 'rate_limit'],
    ['plain text', 'why', 'backend'],
  ])('event: error with %s', async (_form, data, category) => {
    expect(await raw(`event: error\ndata: ${data}\n\n`)).toMatchObject({
      error: { category, message: expect.stringContaining('why') },
    });
  });

  it.each([
    ['error', 'backend'],
    ['abort', 'backend'],
    ['insufficient_system_resource', 'overloaded'],
  ])('finish_reason %s', async (reason, category) => {
    const usage = { prompt_tokens: 3, completion_tokens: 1 };
    expect(await events({ ...chunk({ content: 'a' }, reason), usage })).toMatchObject({
      text: 'a',
      finishReason: 'error',
      error: { category, retryable: true, message: expect.stringContaining(reason) },
      usage: { promptTokens: 3, source: 'reported' },
    });
  });

  it('x_groq.error', async () => {
    expect(await events(a, { ...chunk({}), x_groq: { error: 'over capacity' } })).toMatchObject({
      text: 'a',
      error: { category: 'backend', message: expect.stringContaining('over capacity') },
    });
  });
});
