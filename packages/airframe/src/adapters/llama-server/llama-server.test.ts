import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  json,
  type Script,
  type ScriptedServer,
  scriptedServer,
  sse,
} from '../../../../../test/scripted-server.ts';
import { collect } from '../../collect.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import type { InferenceRequest } from '../../request.ts';
import { llamaServerAdapter } from './index.ts';
import type { LlamaServerExtra } from './wire.ts';

const adapter = llamaServerAdapter();
const messages = [{ role: 'user' as const, content: 'hi' }];

let server: ScriptedServer;
afterEach(() => server?.close());

async function serve(...scripts: Script[]): Promise<EndpointSpec> {
  server = await scriptedServer(...scripts);
  return { name: 'llama', backendKind: 'llama_server', baseUrl: server.url };
}

const openai = { options: { apiType: 'openai' } };

function infer(endpoint: EndpointSpec, request: InferenceRequest<LlamaServerExtra>, timeouts = {}) {
  return collect(adapter.streamInfer(endpoint, request, { timeouts }), { throwOnError: false });
}

const templated = json(200, { prompt: '<user>hi<assistant>' });
const frame = (content: string, n: number) => ({
  content,
  stop: false,
  tokens_predicted: n,
  tokens_evaluated: 9,
});
const last = {
  content: '',
  stop: true,
  stop_type: 'eos',
  model: 'pilot',
  tokens_predicted: 2,
  tokens_evaluated: 9,
  timings: {
    cache_n: 4,
    prompt_n: 5,
    prompt_ms: 3,
    predicted_n: 2,
    predicted_ms: 4,
    predicted_per_second: 500,
  },
};
const chunk = (delta: object, finish: string | null = null) => ({
  id: 'c1',
  model: 'pilot',
  choices: [{ index: 0, delta, finish_reason: finish }],
});

describe('native', () => {
  it('puts a chat through the model’s own template and streams the completion', async () => {
    const endpoint = await serve(templated, sse([frame('Hel', 1), frame('lo', 2), last]));
    const result = await infer(endpoint, {
      model: 'pilot',
      messages,
      maxTokens: 7,
      temperature: 0,
      extra: { top_k: 40, chat_template_kwargs: { enable_thinking: false } },
    });
    expect(server.seen.map(request => request.path)).toEqual(['/apply-template', '/completion']);
    expect(server.seen[0]?.body).toEqual({
      model: 'pilot',
      messages,
      chat_template_kwargs: { enable_thinking: false },
    });
    expect(server.seen[1]?.body).toEqual({
      model: 'pilot',
      prompt: '<user>hi<assistant>',
      stream: true,
      n_predict: 7,
      temperature: 0,
      top_k: 40,
    });
    expect(result).toMatchObject({
      text: 'Hello',
      finishReason: 'stop',
      model: 'pilot',
      usage: { promptTokens: 9, completionTokens: 2, cachedTokens: 4, source: 'reported' },
      timings: { promptMs: 3, generationMs: 4, tokensPerSecond: 500 },
    });
  });

  it('sends a raw prompt as it is', async () => {
    const endpoint = await serve(sse([last]));
    await infer(endpoint, { prompt: 'Once' });
    expect(server.seen).toMatchObject([{ path: '/completion', body: { prompt: 'Once' } }]);
  });

  it('gives the same events without streaming', async () => {
    const endpoint = await serve(json(200, { ...last, content: 'Hello' }));
    const types = [];
    for await (const event of adapter.streamInfer(endpoint, { prompt: 'x', stream: false }))
      types.push(event.type);
    expect(types).toEqual(['token', 'message', 'done']);
  });

  it('ends with length at the token limit', async () => {
    const endpoint = await serve(sse([{ ...last, stop_type: 'limit' }]));
    expect(await infer(endpoint, { prompt: 'x' })).toMatchObject({ finishReason: 'length' });
  });

  it('knows the usage so far when the stream is cut', async () => {
    const endpoint = await serve(sse([frame('Hel', 1), frame('lo', 2)]));
    expect(await infer(endpoint, { prompt: 'x' })).toMatchObject({
      text: 'Hello',
      finishReason: 'truncated',
      usage: { promptTokens: 9, completionTokens: 2, source: 'reported' },
    });
  });

  it('goes to the chat route with tools, the only one that reads tool calls', async () => {
    const endpoint = await serve(sse([chunk({}, 'stop'), '[DONE]']));
    const tools = [{ name: 'wx', parameters: { type: 'object' } }];
    await infer(endpoint, { messages, tools });
    expect(server.seen).toMatchObject([{ path: '/v1/chat/completions' }]);
  });
});

describe('openai', () => {
  const usage = {
    choices: [],
    usage: { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 4 } },
  };

  it('reads reasoning, text, tool calls and the usage chunk without choices', async () => {
    const call = (f: object, id?: string) => ({
      tool_calls: [{ index: 0, ...(id ? { id } : {}), function: f }],
    });
    const endpoint = await serve(
      sse([
        chunk({ role: 'assistant', content: null }),
        chunk({ reasoning_content: 'Need weather.' }),
        chunk(call({ name: 'wx' }, 'abc')),
        chunk(call({ arguments: '{"c"' })),
        chunk(call({ arguments: ':1}' })),
        chunk({}, 'tool_calls'),
        usage,
        '[DONE]',
      ]),
    );
    expect(await infer({ ...endpoint, ...openai }, { messages })).toMatchObject({
      reasoning: 'Need weather.',
      toolCalls: [{ id: 'abc', name: 'wx', arguments: '{"c":1}', input: { c: 1 } }],
      finishReason: 'tool_calls',
      responseId: 'c1',
      usage: { promptTokens: 9, completionTokens: 2, cachedTokens: 4 },
    });
  });

  it('sends only the forced tool with "required", since the object form is ignored', async () => {
    const endpoint = await serve(sse([chunk({}, 'stop')]));
    const tools = ['a', 'b'].map(name => ({ name, parameters: {} }));
    await infer({ ...endpoint, ...openai }, { messages, tools, toolChoice: { name: 'b' } });
    expect(server.seen[0]?.body).toMatchObject({
      tools: [{ function: { name: 'b' } }],
      tool_choice: 'required',
    });
  });

  it('puts a schema below json_schema, since at the top level it is ignored', async () => {
    const endpoint = await serve(sse([chunk({}, 'stop')]));
    const schema = { type: 'object' };
    await infer({ ...endpoint, ...openai }, { messages, responseFormat: { type: 'json_schema', schema } });
    expect(server.seen[0]?.body).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { schema } },
    });
  });

  it('takes tool arguments that come as an object (builds of March 2026)', async () => {
    const message = { content: '', tool_calls: [{ id: 'a', function: { name: 'f', arguments: { x: 1 } } }] };
    const endpoint = await serve(json(200, { choices: [{ message, finish_reason: 'tool_calls' }] }));
    const result = await infer({ ...endpoint, ...openai }, { messages, stream: false });
    expect(result.toolCalls).toMatchObject([{ arguments: '{"x":1}', input: { x: 1 } }]);
  });

  it('sends tool results and earlier calls back in the backend’s own form, arguments as a string', async () => {
    const endpoint = await serve(sse([chunk({}, 'stop')]));
    const assistant = {
      role: 'assistant' as const,
      content: '',
      toolCalls: [{ id: 'a', name: 'f', arguments: '{}' }],
    };
    const history = [...messages, assistant, { role: 'tool' as const, toolCallId: 'a', content: '4' }];
    await infer({ ...endpoint, ...openai }, { messages: history });
    expect(server.seen[0]?.body).toMatchObject({
      messages: [
        { role: 'user' },
        {
          role: 'assistant',
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'a', content: '4' },
      ],
    });
  });

  it('accepts a stream that ends after finish_reason without [DONE]', async () => {
    const endpoint = await serve(sse([chunk({ content: 'a' }), chunk({}, 'stop')]));
    expect(await infer({ ...endpoint, ...openai }, { messages })).toMatchObject({
      text: 'a',
      finishReason: 'stop',
    });
  });

  it('calls [DONE] without finish_reason truncated', async () => {
    const endpoint = await serve(sse([chunk({ content: 'a' }), '[DONE]']));
    expect(await infer({ ...endpoint, ...openai }, { messages })).toMatchObject({
      finishReason: 'truncated',
    });
  });

  it('sends a raw prompt over /v1/completions', async () => {
    const endpoint = await serve(sse([{ choices: [{ text: 'a', finish_reason: 'length' }] }, '[DONE]']));
    const result = await infer({ ...endpoint, ...openai }, { prompt: 'x' });
    expect(server.seen[0]).toMatchObject({ path: '/v1/completions', body: { prompt: 'x' } });
    expect(result).toMatchObject({ text: 'a', finishReason: 'length' });
  });
});

describe('failures', () => {
  const error = (code: number, type: string, more = {}) =>
    json(code, { error: { code, type, message: 'why', ...more } });

  it.each([
    [error(400, 'invalid_request_error'), { category: 'invalid_request', retryable: false, status: 400 }],
    [
      error(400, 'exceed_context_size_error', { n_prompt_tokens: 700, n_ctx: 512 }),
      { category: 'context_length', promptTokens: 700, contextTokens: 512 },
    ],
    [error(401, 'authentication_error'), { category: 'auth', retryable: false }],
    [error(404, 'not_found_error'), { category: 'not_found' }],
    // 500 may be a bad request here (malformed JSON, an image for a text model): not retried blindly.
    [error(500, 'server_error'), { category: 'backend', retryable: false }],
    [error(501, 'not_supported_error'), { category: 'invalid_request' }],
    [error(503, 'unavailable_error'), { category: 'overloaded', retryable: true }],
    [json(429, {}, { 'retry-after': '7' }), { category: 'rate_limit', retryAfterMs: 7_000 }],
    [json(302, {}, { location: 'http://127.0.0.1:1/' }), { category: 'not_found', status: 302 }],
  ])('answer %# has its category', async (script, expected) => {
    const endpoint = await serve(script);
    const result = await infer(endpoint, { prompt: 'x' });
    expect(result).toMatchObject({ finishReason: 'error', error: expected });
    expect(server.seen).toHaveLength(1);
  });

  it('takes an error in mid-stream for an error, after the text that came', async () => {
    const wire = { error: { code: 500, type: 'server_error', message: 'slot broke' } };
    const endpoint = await serve(sse([frame('Hel', 1), wire]));
    expect(await infer(endpoint, { prompt: 'x' })).toMatchObject({
      text: 'Hel',
      finishReason: 'error',
      error: { category: 'backend', message: expect.stringContaining('slot broke') },
      usage: { completionTokens: 1 },
    });
  });

  it('takes an error inside a 200 answer for an error', async () => {
    const endpoint = await serve(json(200, { error: { message: 'no' } }));
    expect(await infer(endpoint, { prompt: 'x', stream: false })).toMatchObject({
      error: { category: 'backend' },
    });
  });

  it('takes a socket closed in mid-stream for a connection error, never for an end', async () => {
    const endpoint = await serve(async response => {
      sse([frame('Hel', 1)], { end: false })(response, {} as never);
      await sleep(20);
      response.destroy();
    });
    expect(await infer(endpoint, { prompt: 'x' })).toMatchObject({
      text: 'Hel',
      finishReason: 'error',
      error: { category: 'connection' },
      usage: { completionTokens: 1 },
    });
  });

  it('names the address that refuses the connection', async () => {
    const endpoint = await serve(json(200, {}));
    await server.close();
    const { error } = await infer(endpoint, { prompt: 'x' });
    expect(error?.message).toContain(`${endpoint.baseUrl} refused the connection`);
    server = await scriptedServer();
  });

  it('calls a stream stalled when nothing comes within idleMs', async () => {
    const endpoint = await serve(sse([frame('Hel', 1)], { end: false }));
    expect(await infer(endpoint, { prompt: 'x' }, { idleMs: 50 })).toMatchObject({
      text: 'Hel',
      finishReason: 'stalled',
      error: { category: 'timeout', code: 'idle_timeout' },
    });
  });

  it('counts comments as life', async () => {
    const endpoint = await serve(async response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let i = 0; i < 6; i++) {
        response.write(':\n\n');
        await sleep(40);
      }
      response.end(`data: ${JSON.stringify(last)}\n\n`);
    });
    expect(await infer(endpoint, { prompt: 'x' }, { idleMs: 150 })).toMatchObject({ finishReason: 'stop' });
  });

  it('does not count the consumer’s own slowness as the backend’s silence', async () => {
    const endpoint = await serve(sse([frame('a', 1), last]));
    const types: string[] = [];
    for await (const event of adapter.streamInfer(endpoint, { prompt: 'x' }, { timeouts: { idleMs: 30 } })) {
      types.push(event.type);
      await sleep(60);
    }
    expect(types).toEqual(['token', 'message', 'done']);
  });

  it('gives up on a server that accepts and says nothing, within headersMs', async () => {
    const endpoint = await serve(() => {});
    expect(await infer(endpoint, { prompt: 'x' }, { headersMs: 50 })).toMatchObject({
      error: { category: 'timeout', code: 'headers_timeout', retryable: true },
    });
  });

  it('ends a call at totalMs even while tokens flow', async () => {
    const endpoint = await serve(async response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let i = 1; i < 100 && !response.destroyed; i++) {
        response.write(`data: ${JSON.stringify(frame('x', i))}\n\n`);
        await sleep(10);
      }
    });
    const result = await infer(endpoint, { prompt: 'x' }, { totalMs: 100 });
    expect(result).toMatchObject({
      finishReason: 'error',
      error: { code: 'total_timeout', retryable: false },
    });
    expect(result.text).toMatch(/^x+$/);
  });

  it('waits while the server loads its model, without counting a try', async () => {
    const loading = json(503, { error: { code: 503, type: 'unavailable_error', message: 'Loading model' } });
    const endpoint = await serve(loading, loading, sse([last]));
    expect(await infer(endpoint, { prompt: 'x' })).toMatchObject({
      finishReason: 'stop',
      attempts: { length: 1 },
    });
  });

  it('waits for a loading model no longer than headersMs', async () => {
    const loading = json(503, { error: { code: 503, type: 'unavailable_error', message: 'Loading model' } });
    const endpoint = await serve(loading);
    expect(await infer(endpoint, { prompt: 'x' }, { headersMs: 300 })).toMatchObject({
      error: { code: 'headers_timeout' },
    });
  });

  it('shows no key in an error, however the server echoes it', async () => {
    const endpoint = await serve(
      json(401, { error: { type: 'authentication_error', message: 'bad key hunter2hunter2' } }),
    );
    const { error } = await infer({ ...endpoint, apiKey: 'hunter2hunter2' }, { prompt: 'x' });
    expect(server.seen[0]?.headers.authorization).toBe('Bearer hunter2hunter2');
    expect(JSON.stringify(error) + error?.message + error?.raw).not.toContain('hunter2');
  });

  it('shows no key in an error that comes inside the stream', async () => {
    const wire = { error: { message: 'Incorrect API key provided: sk-abcdefghijklmnopqrst' } };
    const endpoint = await serve(sse([wire]));
    const { error } = await infer(endpoint, { prompt: 'x' });
    expect(error?.message).toContain('Incorrect API key provided: ***');
    const garbled = await serve(sse(['oops hunter2hunter2']));
    const result = await infer({ ...garbled, apiKey: 'hunter2hunter2' }, { prompt: 'x' });
    expect(JSON.stringify(result) + result.error?.message + String(result.error?.cause)).not.toContain(
      'hunter2',
    );
  });

  it('takes a stream that is cut inside an event for truncated, not for garbage', async () => {
    const endpoint = await serve(response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`data: ${JSON.stringify(frame('Hel', 1))}\n\ndata: {"content":"lo","tok`);
    });
    expect(await infer(endpoint, { prompt: 'x' })).toMatchObject({ text: 'Hel', finishReason: 'truncated' });
  });

  it('keeps a whole reply whole, however the connection ends', async () => {
    const endpoint = await serve(
      response => {
        sse([frame('Hello', 1), last], { end: false })(response, {} as never);
        setTimeout(() => response.destroy(), 20);
      },
      sse([frame('Hello', 1), last], { end: false }),
    );
    for (const _how of ['reset after the end', 'left open']) {
      expect(await infer(endpoint, { prompt: 'x' })).toMatchObject({ text: 'Hello', finishReason: 'stop' });
    }
    await expect.poll(() => server.sockets.size).toBe(0);
  });

  it('calls a key that no header can carry a mistake of the endpoint, and shows nothing of it', async () => {
    const endpoint = await serve(json(200, {}));
    const { error } = await infer({ ...endpoint, apiKey: 'hunter2\n' }, { prompt: 'x' });
    expect(error).toMatchObject({ category: 'invalid_request', code: 'configuration', retryable: false });
    expect(error?.message).toMatch(/apiKey/);
    expect(error?.message).not.toContain('hunter2');
  });

  it('takes an event that is no object for a parse error', async () => {
    const endpoint = await serve(sse(['null']));
    expect(await infer(endpoint, { prompt: 'x' })).toMatchObject({ error: { category: 'parse' } });
  });

  it('takes garbage in an event for a parse error', async () => {
    const endpoint = await serve(sse(['{"content":']));
    expect(await infer(endpoint, { prompt: 'x' })).toMatchObject({ error: { category: 'parse' } });
  });

  it('names an option of the endpoint that it does not know', async () => {
    const endpoint = await serve(json(200, {}));
    const { error } = await infer({ ...endpoint, options: { apiType: 'grpc' } }, { prompt: 'x' });
    expect(error?.message).toMatch(/options of endpoint llama: apiType: .*got "grpc"/);
  });
});

describe('stopping', () => {
  const endless: Script = async response => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let i = 1; !response.destroyed; i++) {
      response.write(`data: ${JSON.stringify(frame('x', i))}\n\n`);
      await sleep(2);
    }
  };

  it('closes the connection when the consumer breaks', async () => {
    const endpoint = await serve(endless);
    for await (const _event of adapter.streamInfer(endpoint, { prompt: 'x' })) break;
    await expect.poll(() => server.sockets.size).toBe(0);
    expect(server.seen[0]?.closedEarly).toBe(true);
  });

  it('closes the connection on abort and ends with the usage so far', async () => {
    const endpoint = await serve(endless);
    const controller = new AbortController();
    const events = adapter.streamInfer(endpoint, { prompt: 'x' }, { signal: controller.signal });
    expect(await events.next()).toMatchObject({ value: { type: 'token' } });
    const rest = collect(events, { throwOnError: false });
    controller.abort();
    const result = await rest;
    expect(result).toMatchObject({ finishReason: 'aborted', usage: { source: 'reported' } });
    expect(result.usage.completionTokens).toBeGreaterThan(0);
    await expect.poll(() => server.sockets.size).toBe(0);
  });

  it('does not use a connection again after a stream, which llama-server closes behind it', async () => {
    const endpoint = await serve(sse([last]));
    await infer(endpoint, { prompt: 'x' });
    expect(server.seen[0]?.headers.connection).toBe('close');
    await expect.poll(() => server.sockets.size).toBe(0);
  });

  it('gives the connection back to the pool after any other answer', async () => {
    const endpoint = await serve(json(200, last));
    for (let i = 0; i < 10; i++) await infer(endpoint, { prompt: 'x', stream: false });
    // Two, not one: a call made in the same tick in which the last one ended finds its socket not yet free.
    expect(server.sockets.size).toBeLessThanOrEqual(2);
  });

  it('survives a connection that ends while the consumer is slow', async () => {
    const endpoint = await serve(
      async response => {
        response.writeHead(200, { 'content-type': 'text/event-stream', connection: 'close' });
        for (let i = 1; i < 20; i++) response.write(`data: ${JSON.stringify(frame('x', i))}\n\n`);
        response.end(`data: ${JSON.stringify(last)}\n\n`);
      },
      async response => {
        response.writeHead(200, { 'content-type': 'text/event-stream', connection: 'close' });
        for (let i = 1; i < 20; i++) response.write(`data: ${JSON.stringify(frame('x', i))}\n\n`);
        setTimeout(() => response.socket?.resetAndDestroy(), 10);
      },
    );
    const endings = [];
    for (let call = 0; call < 2; call++) {
      for await (const event of adapter.streamInfer(endpoint, { prompt: 'x' })) {
        if (event.type === 'done') endings.push(event.finishReason);
        await sleep(2);
      }
    }
    expect(endings).toEqual(['stop', 'error']);
  });

  it('closes its sockets, and the calls under way, with the adapter', async () => {
    const endpoint = await serve(endless);
    const own = llamaServerAdapter();
    const result = collect(own.streamInfer(endpoint, { prompt: 'x' }), { throwOnError: false });
    await expect.poll(() => server.sockets.size).toBe(1);
    await own.close();
    expect(await result).toMatchObject({ finishReason: 'aborted', error: { category: 'aborted' } });
    await expect.poll(() => server.sockets.size).toBe(0);
    const late = await collect(own.streamInfer(endpoint, { prompt: 'x' }), { throwOnError: false });
    expect(late.error?.message).toContain('the adapter is closed; make a new one');
  });

  it('makes the server wait when the consumer is slow', async () => {
    let written = 0;
    const endpoint = await serve(async response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      while (!response.destroyed && written < 500_000_000) {
        const event = `data: ${JSON.stringify(frame('x'.repeat(10_000), 1))}\n\n`;
        written += event.length;
        if (!response.write(event)) await once(response, 'drain');
      }
    });
    const stream = adapter.streamInfer(endpoint, { prompt: 'x' });
    await stream.next();
    await sleep(200);
    expect(written).toBeLessThan(50_000_000);
    await stream.return?.();
  });
});
