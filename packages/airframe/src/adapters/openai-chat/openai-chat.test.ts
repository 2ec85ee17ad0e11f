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
import { openAIChatAdapter } from './index.ts';
import type { OpenAIChatExtra } from './wire.ts';

const adapter = openAIChatAdapter();
const messages = [{ role: 'user' as const, content: 'hi' }];
const chunk = (delta: object, finish: string | null = null) => ({
  id: 'c1',
  model: 'm-2026',
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const hello = sse([
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'Hello' }),
  chunk({}, 'stop'),
  '[DONE]',
]);

let server: ScriptedServer;
afterEach(() => server.close());

async function serve(...scripts: Script[]): Promise<EndpointSpec> {
  server = await scriptedServer(...scripts);
  return { name: 'chat', backendKind: 'openai_chat', baseUrl: `${server.url}/v1` };
}

const infer = (endpoint: EndpointSpec, request: Partial<InferenceRequest<OpenAIChatExtra>> = {}) =>
  collect(adapter.streamInfer(endpoint, { messages, ...request } as InferenceRequest<OpenAIChatExtra>), {
    throwOnError: false,
  });

const bodies = () => server.seen.map(({ body }) => body as Record<string, unknown>);

describe('a call', () => {
  it('goes to the chat route with the key, organization and project', async () => {
    const endpoint = await serve(hello);
    const options = { profile: 'openai', organization: 'org-1', project: 'proj-1' };
    const result = await infer({ ...endpoint, model: 'm', apiKey: 'hunter2hunter2', options });
    expect(server.seen).toMatchObject([
      {
        method: 'POST',
        path: '/v1/chat/completions',
        headers: {
          authorization: 'Bearer hunter2hunter2',
          'openai-organization': 'org-1',
          'openai-project': 'proj-1',
        },
        body: { model: 'm', messages, stream: true },
      },
    ]);
    expect(result).toMatchObject({ text: 'Hello', finishReason: 'stop', responseId: 'c1', model: 'm-2026' });
  });

  it('gives the same events without streaming', async () => {
    const body = { choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }] };
    const endpoint = await serve(json(200, body));
    const types = [];
    for await (const event of adapter.streamInfer(endpoint, { messages, stream: false }))
      types.push(event.type);
    expect(types).toEqual(['token', 'message', 'done']);
  });

  it('tells the rate limits', async () => {
    const endpoint = await serve(
      json(200, { choices: [{ message: { content: 'a' } }] }, { 'x-ratelimit-remaining-requests': '7' }),
    );
    expect(await infer(endpoint)).toMatchObject({ rateLimits: { requests: { remaining: 7 } } });
  });

  it('has x-should-retry decide over everything else', async () => {
    const endpoint = await serve(json(500, { error: { message: 'm' } }, { 'x-should-retry': 'false' }));
    expect(await infer(endpoint)).toMatchObject({ error: { category: 'backend', retryable: false } });
  });

  it('shows no key in an error', async () => {
    const endpoint = await serve(
      json(401, { error: { message: 'bad key hunter2hunter2', code: 'invalid_api_key' } }),
    );
    const { error } = await infer({ ...endpoint, apiKey: 'hunter2hunter2' });
    expect(error).toMatchObject({ category: 'auth', retryable: false });
    expect(JSON.stringify(error) + error?.message).not.toContain('hunter2');
  });

  it('says what is missing when the address is no API root', async () => {
    const endpoint = await serve(response => {
      response.writeHead(404).end('404 page not found');
    });
    const { error } = await infer({ ...endpoint, baseUrl: server.url });
    expect(error?.message).toMatch(/answered 404: 404 page not found; baseUrl has to be the root of the API/);
  });
});

describe('a refused parameter', () => {
  const refuse = (param: string, code = 'unsupported_parameter') =>
    json(400, { error: { message: `no ${param}`, type: 'invalid_request_error', param, code } });

  it('max_tokens is sent under its other name', async () => {
    const endpoint = await serve(refuse('max_tokens'), hello);
    expect(await infer(endpoint, { maxTokens: 9 })).toMatchObject({ text: 'Hello', attempts: { length: 1 } });
    expect(bodies()).toMatchObject([{ max_tokens: 9 }, { max_completion_tokens: 9 }]);
    expect(bodies()[1]).not.toHaveProperty('max_tokens');
  });

  it('temperature, top_p and the limit give way one after the other', async () => {
    const endpoint = await serve(
      refuse('max_tokens'),
      refuse('temperature', 'unsupported_value'),
      refuse('top_p'),
      hello,
    );
    expect(await infer(endpoint, { maxTokens: 9, temperature: 0, topP: 1 })).toMatchObject({
      finishReason: 'stop',
    });
    expect(Object.keys(bodies()[3] ?? {}).sort()).toEqual([
      'max_completion_tokens',
      'messages',
      'stream',
      'stream_options',
    ]);
  });

  it('stream_options is dropped where a server does not know it', async () => {
    const detail = [
      { type: 'extra_forbidden', loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' },
    ];
    const endpoint = await serve(json(422, { detail }), hello);
    expect(await infer(endpoint)).toMatchObject({ finishReason: 'stop' });
    expect(bodies()[1]).not.toHaveProperty('stream_options');
  });

  it('is tried once: a limit that no name fits is an error, and is never dropped', async () => {
    const endpoint = await serve(refuse('max_tokens'), refuse('max_completion_tokens'));
    expect(await infer(endpoint, { maxTokens: 9 })).toMatchObject({
      error: { category: 'invalid_request', code: 'unsupported_parameter', retryable: false },
    });
    expect(server.seen).toHaveLength(2);
  });

  it.each([
    ['that was not sent', 'temperature', {}],
    ['that cannot be done without', 'tools', { tools: [{ name: 'f', parameters: {} }] }],
    ['that the caller put into extra', 'temperature', { extra: { temperature: 1 } }],
  ])('%s is an error', async (_which, param, request) => {
    const endpoint = await serve(refuse(param), hello);
    expect(await infer(endpoint, request)).toMatchObject({ error: { category: 'invalid_request' } });
    expect(server.seen).toHaveLength(1);
  });
});

describe('the profile', () => {
  /** The address and the body of a call, caught at the door. */
  async function sent(baseUrl: string, options?: Record<string, unknown>) {
    let body: Record<string, unknown> = {};
    const own = openAIChatAdapter({
      http: async request => {
        body = JSON.parse(request.body ?? '{}');
        throw new Error(request.url);
      },
    });
    const endpoint = { name: 'chat', backendKind: 'openai_chat', baseUrl, ...(options ? { options } : {}) };
    await collect(own.streamInfer(endpoint, { messages, maxTokens: 9, seed: 1 }), { throwOnError: false });
    return body;
  }

  it.each([
    ['https://api.openai.com/v1', 'max_completion_tokens'],
    ['https://eu.api.openai.com/v1', 'max_completion_tokens'],
    ['https://api.groq.com/openai/v1', 'max_completion_tokens'],
    ['https://api.mistral.ai/v1', 'random_seed'],
    ['http://10.0.0.7:11434/v1', 'max_tokens'],
    ['https://llm.example.com/v1', 'max_tokens'],
    ['https://evil-api.openai.com.example/v1', 'max_tokens'],
  ])('of %s is found by itself', async (baseUrl, field) => {
    server = await scriptedServer();
    expect(await sent(baseUrl)).toHaveProperty(field);
  });

  it('given by name comes first', async () => {
    server = await scriptedServer();
    expect(await sent('https://llm.example.com/v1', { profile: 'openai' })).toHaveProperty(
      'max_completion_tokens',
    );
    expect(await sent('https://api.openai.com/v1', { profile: 'vllm' })).toHaveProperty('max_tokens');
  });

  it('that nobody knows is a mistake in the configuration', async () => {
    const endpoint = await serve(hello);
    const { error } = await infer({ ...endpoint, options: { profile: 'grok' } });
    expect(error).toMatchObject({ category: 'invalid_request', code: 'configuration' });
    expect(error?.message).toMatch(/options of endpoint chat: profile: .*got "grok"/);
  });
});

describe('health', () => {
  it('asks for the models, with the key', async () => {
    const endpoint = await serve(json(200, { data: [] }));
    expect(await adapter.health({ ...endpoint, apiKey: 'hunter2' })).toMatchObject({ state: 'healthy' });
    expect(server.seen).toMatchObject([{ path: '/v1/models', headers: { authorization: 'Bearer hunter2' } }]);
  });

  it('asks OpenRouter for the key itself, since its models need none', async () => {
    const endpoint = await serve(json(401, { error: { code: 401, message: 'No auth credentials' } }));
    expect(await adapter.health({ ...endpoint, options: { profile: 'openrouter' } })).toMatchObject({
      state: 'unhealthy',
      reason: expect.stringContaining('No auth credentials'),
    });
    expect(server.seen[0]?.path).toBe('/v1/key');
  });
});
