import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  json,
  type Script,
  type ScriptedServer,
  scriptedServer,
  sse,
} from '../../../../../test/scripted-server.ts';
import { collect, type InferenceResult } from '../../collect.ts';
import { DEFAULT_TIMEOUTS } from '../../endpoint.ts';
import type { InferenceRequest } from '../../request.ts';
import { withRetry } from '../../wrap/retry.ts';
import { llamaServerAdapter } from './index.ts';
import type { LlamaServerExtra } from './wire.ts';

const adapter = llamaServerAdapter();
const messages = [{ role: 'user' as const, content: 'hi' }];
const chat = { messages };
const native = { prompt: 'x' };

let server: ScriptedServer;
afterEach(() => server?.close());

async function infer(
  script: Script,
  request: InferenceRequest<LlamaServerExtra>,
  apiType = request.messages ? 'openai' : 'native',
  by = adapter,
): Promise<InferenceResult> {
  await server?.close();
  server = await scriptedServer(script);
  const endpoint = {
    name: 'llama',
    backendKind: 'llama_server',
    baseUrl: server.url,
    apiKey: 'k-e-y',
    options: { apiType },
  };
  return collect(by.streamInfer(endpoint, request), { throwOnError: false });
}

const recorded = (name: string): Script => {
  return async response => {
    const bytes = await readFile(new URL(`./__fixtures__/${name}.sse`, import.meta.url));
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(bytes);
  };
};

const chunk = (delta: object | null, finish: string | null = null, more: object = {}) => ({
  id: 'c1',
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
});
const last = { content: '', stop: true, stop_type: 'eos', tokens_predicted: 2, tokens_evaluated: 9 };
const timings = { cache_n: 4, prompt_n: 5, predicted_n: 2 };

describe('/completion', () => {
  it('tokens_cached is all that the slot holds, not what was reused: that is timings.cache_n', async () => {
    expect(await infer(sse([{ ...last, tokens_cached: 11, timings }]), native)).toMatchObject({
      usage: { promptTokens: 9, cachedTokens: 4, completionTokens: 2 },
    });
    const { usage } = await infer(sse([{ ...last, tokens_cached: 11 }]), native);
    expect(usage).not.toHaveProperty('cachedTokens');
  });

  it.each([
    ['the context ran out: limit with truncated:true', { stop_type: 'limit', truncated: true }, 'length'],
    ['a stop word', { stop_type: 'word', stopping_word: '4' }, 'stop'],
    ['a stop_type that is not known', { stop_type: 'none' }, 'stop'],
  ])('%s', async (_quirk, fields, finishReason) => {
    expect(await infer(sse([{ ...last, ...fields }]), native)).toMatchObject({ finishReason });
  });

  it('of several choices (n_cmpl) the first is read, though another ends before it', async () => {
    expect(await infer(recorded('completion-two'), native)).toMatchObject({
      text: 'I am',
      finishReason: 'length',
      usage: { promptTokens: 2, completionTokens: 4 },
    });
    const whole = ['b', 'a'].map((content, at) => ({ ...last, content, index: 1 - at }));
    expect(await infer(json(200, whole), { ...native, stream: false })).toMatchObject({
      text: 'a',
      usage: { completionTokens: 4 },
    });
  });

  it('prompt_progress is no output', async () => {
    const prompt_progress = { total: 9, cache: 4, processed: 4, time_ms: 0 };
    const frame = { index: 0, content: '', stop: false, prompt_progress };
    const result = await infer(sse([frame, last]), native);
    expect(result).toMatchObject({ text: '', finishReason: 'stop' });
    expect(result.timings).not.toHaveProperty('firstTokenMs');
  });
});

describe('/v1/chat/completions', () => {
  it('the role delta may be missing, when the first token is half of a character', async () => {
    expect(await infer(recorded('chat-multibyte'), chat)).toMatchObject({
      text: '🛩 你好',
      finishReason: 'stop',
    });
  });

  it('the role delta comes again with each prompt_progress', async () => {
    expect(await infer(recorded('chat-progress'), chat)).toMatchObject({
      text: '2 +',
      finishReason: 'length',
    });
  });

  it('timings are on the finish chunk when no usage chunk follows', async () => {
    const end = chunk({}, 'stop', { timings });
    expect(await infer(sse([chunk({ content: 'a' }), end, '[DONE]']), chat)).toMatchObject({
      usage: { promptTokens: 9, cachedTokens: 4, completionTokens: 2, source: 'reported' },
    });
  });

  it('n above 1: several usage chunks, whose answers add up while the prompt counts once', async () => {
    expect(await infer(recorded('chat-two'), chat)).toMatchObject({
      text: '2 +',
      usage: { promptTokens: 15, completionTokens: 4, totalTokens: 19 },
    });
  });

  it('created may differ between chunks, and usage is absent, not null', async () => {
    const all = [chunk({ content: 'a' }, null, { created: 1 }), chunk({}, 'stop', { created: 2 }), '[DONE]'];
    expect(await infer(sse(all), chat)).toMatchObject({ responseId: 'c1', usage: { source: 'estimated' } });
  });

  it('the first fragment of a call may lack arguments', async () => {
    const call = (fields: object) => chunk({ tool_calls: [{ index: 0, ...fields }] });
    const first = call({ id: 'a', type: 'function', function: { name: 'f' } });
    const all = [first, call({ function: { arguments: '{"x":1}' } }), chunk({}, 'tool_calls'), '[DONE]'];
    expect(await infer(sse(all), chat)).toMatchObject({ toolCalls: [{ id: 'a', input: { x: 1 } }] });
  });

  it('at the token limit it is length although calls, perhaps cut, were read', async () => {
    expect(await infer(recorded('chat-parallel-cut'), chat)).toMatchObject({
      finishReason: 'length',
      toolCalls: [{ input: { unit: 'ß' } }, { parseError: expect.stringContaining('not valid JSON') }],
    });
  });

  it('an empty message.content is "", not null', async () => {
    const message = { role: 'assistant', content: '', reasoning_content: 'hm' };
    const body = { choices: [{ index: 0, message, finish_reason: 'stop' }] };
    expect(await infer(json(200, body), { ...chat, stream: false })).toMatchObject({
      text: '',
      reasoning: 'hm',
    });
  });

  it('an error in mid-stream has no [DONE] behind it', async () => {
    expect(await infer(recorded('chat-error'), chat)).toMatchObject({
      finishReason: 'error',
      error: { category: 'backend', code: 'server_error', retryable: false },
    });
  });

  it('what stands behind [DONE] is not read', async () => {
    expect(await infer(recorded('chat-after-done'), chat)).toMatchObject({ text: 'a', finishReason: 'stop' });
  });
});

describe('/v1/completions', () => {
  it('the last chunk has usage beside a choice with empty text', async () => {
    expect(await infer(recorded('text-limit'), native, 'openai')).toMatchObject({
      text: 'I am pilot',
      finishReason: 'length',
      usage: { promptTokens: 2, completionTokens: 3, source: 'reported' },
    });
    expect(server.seen).toMatchObject([{ path: '/v1/completions' }]);
  });
});

describe('errors', () => {
  const error = (code: number, type: string, message = 'why') =>
    json(code, { error: { code, type, message } });

  const proxyError: Script = response => {
    response.writeHead(500).end('proxy error: Connection refused');
  };

  it.each([
    ['500 server_error, which a malformed body has too', error(500, 'server_error'), 'backend'],
    ['501 not_supported_error', error(501, 'not_supported_error'), 'invalid_request'],
    ['403 feature_disabled', error(403, 'feature_disabled'), 'invalid_request'],
    ['404 File Not Found', error(404, 'not_found_error', 'File Not Found'), 'not_found'],
    ['401 Invalid API Key', error(401, 'authentication_error', 'Invalid API Key'), 'auth'],
    ['500 of the router in plain text', proxyError, 'backend'],
  ])('%s is not tried again', async (_quirk, script, category) => {
    const result = await infer(script, native, 'native', withRetry(adapter, { baseDelayMs: 1 }));
    expect(result.error).toMatchObject({ category, retryable: false });
    expect(server.seen).toHaveLength(1);
  });

  it('of a streaming request come as JSON with their status when nothing has been streamed', async () => {
    const overflow = {
      error: {
        code: 400,
        message: 'request (289 tokens) exceeds the available context size (256 tokens), try increasing it',
        type: 'exceed_context_size_error',
        n_prompt_tokens: 289,
        n_ctx: 256,
      },
    };
    expect(await infer(json(400, overflow), chat)).toMatchObject({
      error: { category: 'context_length', status: 400, promptTokens: 289, contextTokens: 256 },
    });
  });
});

describe('the server', () => {
  it('sends no headers while all slots are busy, so there is no deadline for them unless one is set', () => {
    expect(DEFAULT_TIMEOUTS.headersMs).toBe(0);
  });

  it('goes on generating for a request with X-Conversation-Id, so none is ever sent', async () => {
    for (const request of [chat, native]) {
      await infer(sse([chunk({}, 'stop')]), request);
      for (const { headers } of server.seen) expect(headers).not.toHaveProperty('x-conversation-id');
    }
  });

  it('answers /health to anyone, so the key is shown to /v1/models', async () => {
    await server?.close();
    server = await scriptedServer(
      json(401, { error: { code: 401, type: 'authentication_error', message: 'm' } }),
    );
    const endpoint = { name: 'llama', backendKind: 'llama_server', baseUrl: server.url, apiKey: 'k-e-y' };
    expect(await adapter.health(endpoint)).toMatchObject({ state: 'unhealthy' });
    expect(server.seen).toMatchObject([{ path: '/v1/models', headers: { authorization: 'Bearer k-e-y' } }]);
  });

  it('is loading, not failed, at 503 unavailable_error', async () => {
    await server?.close();
    const loading = { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } };
    server = await scriptedServer(json(503, loading));
    const endpoint = { name: 'llama', backendKind: 'llama_server', baseUrl: server.url };
    expect(await adapter.health(endpoint)).toMatchObject({ state: 'loading' });
  });
});
