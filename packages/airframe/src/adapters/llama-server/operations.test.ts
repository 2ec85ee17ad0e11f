import { afterEach, describe, expect, it } from 'vitest';
import {
  json,
  type Script,
  type ScriptedServer,
  scriptedServer,
} from '../../../../../test/scripted-server.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import type { InferenceRequest } from '../../request.ts';
import { llamaServerAdapter } from './index.ts';
import type { LlamaServerExtra } from './wire.ts';

const adapter = llamaServerAdapter();
const messages = [{ role: 'user' as const, content: 'hi' }];
const tools = [{ name: 'wx', parameters: { type: 'object' } }];

let server: ScriptedServer;
afterEach(() => server?.close());

async function serve(...scripts: Script[]): Promise<EndpointSpec> {
  server = await scriptedServer(...scripts);
  return { name: 'llama', backendKind: 'llama_server', baseUrl: server.url, apiKey: 'the-key' };
}

const openai = { options: { apiType: 'openai' } };
const failure = (code: number, type: string, message = 'why') =>
  json(code, { error: { code, message, type } });
const loading = failure(503, 'unavailable_error', 'Loading model');
const vectors = json(200, { data: [{ index: 0, embedding: [1, 2] }], usage: { prompt_tokens: 3 } });
const models = json(200, { data: [{ id: 'pilot', owned_by: 'llamacpp', meta: { n_ctx: 1024 } }] });
const counted = json(200, { object: 'response.input_tokens', input_tokens: 9 });

describe('countTokens', () => {
  const count = (endpoint: EndpointSpec, request: InferenceRequest<LlamaServerExtra>) =>
    adapter.countTokens?.(endpoint, request);

  it.each([{}, openai])('of a raw prompt counts its tokens, special ones included: %j', async more => {
    const endpoint = await serve(json(200, { tokens: [1, 2, 3] }));
    expect(await count({ ...endpoint, ...more }, { prompt: 'Once' })).toEqual({ tokens: 3, exact: true });
    expect(server.seen).toMatchObject([
      { method: 'POST', path: '/tokenize', headers: { authorization: 'Bearer the-key' } },
    ]);
    expect(server.seen[0]?.body).toEqual({ content: 'Once', add_special: true });
  });

  it('of a native chat sends what the template would get', async () => {
    const endpoint = await serve(counted);
    const extra = { top_k: 40, chat_template_kwargs: { enable_thinking: false } };
    const request = { messages, model: 'pilot', maxTokens: 7, extra };
    expect(await count(endpoint, request)).toEqual({ tokens: 9, exact: true });
    expect(server.seen[0]).toMatchObject({ method: 'POST', path: '/v1/chat/completions/input_tokens' });
    expect(server.seen[0]?.body).toEqual({
      model: 'pilot',
      messages,
      chat_template_kwargs: { enable_thinking: false },
    });
  });

  it.each([
    [{}, { tools }],
    [openai, {}],
    [openai, { tools }],
  ])('of a request for the chat route sends what that would get: %j %j', async (more, options) => {
    const endpoint = await serve(counted);
    await count({ ...endpoint, ...more }, { messages, ...options, stream: false });
    const body = server.seen[0]?.body as object;
    expect(server.seen[0]).toMatchObject({ path: '/v1/chat/completions/input_tokens', body: { messages } });
    expect('tools' in body).toBe('tools' in options);
  });

  it.each([
    [json(200, {}), { category: 'parse', message: expect.stringContaining('without a number of tokens') }],
    [json(200, null), { category: 'parse' }],
    [failure(401, 'authentication_error'), { category: 'auth' }],
    [failure(400, 'invalid_request_error'), { category: 'invalid_request' }],
  ])('fails by name %#', async (script, expected) => {
    await expect(count(await serve(script), { messages })).rejects.toMatchObject(expected);
  });
});

describe('embed', () => {
  it('asks the OpenAI route', async () => {
    const endpoint = await serve(vectors);
    expect(await adapter.embed?.({ ...endpoint, model: 'pilot' }, { input: 'one' })).toEqual({
      embeddings: [[1, 2]],
      usage: { promptTokens: 3, completionTokens: 0, totalTokens: 3, source: 'reported' },
    });
    expect(server.seen).toMatchObject([
      { path: '/v1/embeddings', headers: { authorization: 'Bearer the-key' }, body: { model: 'pilot' } },
    ]);
  });

  it('at a server without --embeddings is refused in the server’s own words', async () => {
    const endpoint = await serve(failure(501, 'not_supported_error', 'Start it with `--embeddings`'));
    await expect(adapter.embed?.(endpoint, { input: 'one' })).rejects.toMatchObject({
      category: 'invalid_request',
      retryable: false,
      message: expect.stringContaining('--embeddings'),
    });
  });
});

describe('listModels', () => {
  it('tells what a slot’s context holds', async () => {
    const endpoint = await serve(models);
    expect(await adapter.listModels?.(endpoint)).toEqual([
      { id: 'pilot', ownedBy: 'llamacpp', contextTokens: 1024 },
    ]);
    expect(server.seen).toMatchObject([
      { method: 'GET', path: '/v1/models', headers: { authorization: 'Bearer the-key' } },
    ]);
  });
});

describe('a server that loads its model', () => {
  it.each([
    ['embed', vectors, (to: EndpointSpec) => adapter.embed?.(to, { input: 'one' })],
    ['countTokens', counted, (to: EndpointSpec) => adapter.countTokens?.(to, { messages })],
    ['listModels', models, (to: EndpointSpec) => adapter.listModels?.(to)],
  ])('is waited for: %s', async (_name, answer, call) => {
    const endpoint = await serve(loading, loading, answer);
    expect(await call(endpoint)).toBeDefined();
    expect(server.seen).toHaveLength(3);
  });

  it('is waited for no longer than headersMs', async () => {
    const endpoint = await serve(loading);
    const failing = adapter.listModels?.(endpoint, { timeouts: { headersMs: 60 } });
    await expect(failing).rejects.toMatchObject({ category: 'timeout', code: 'headers_timeout' });
  });
});
