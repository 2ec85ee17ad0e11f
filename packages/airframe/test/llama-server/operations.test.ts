import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RealLlamaServer, startLlamaServer, until } from '../../../../test/real-llama-server.ts';
import {
  collect,
  type EndpointSpec,
  type InferenceRequest,
  type LlamaServerExtra,
  llamaServerAdapter,
  type Message,
  openAIChatAdapter,
  type ToolSpec,
} from '../../src/index.ts';

const adapter = llamaServerAdapter();
const user = (content: string): Message => ({ role: 'user', content });
const question: Message[] = [user('What is 2+2?')];

function endpointOf(server: RealLlamaServer, options: Partial<EndpointSpec> = {}): EndpointSpec {
  return { name: 'real', backendKind: 'llama_server', baseUrl: server.url, ...options };
}

describe.each(['native', 'openai'] as const)('countTokens with api type %s', apiType => {
  let server: RealLlamaServer;
  let endpoint: EndpointSpec;
  beforeAll(async () => {
    server = await startLlamaServer();
    endpoint = endpointOf(server, { options: { apiType } });
  });
  afterAll(() => server?.stop());

  const tools: ToolSpec[] = [
    {
      name: 'get_weather',
      description: 'The weather of a place',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  ];
  const schema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] };
  const chat: Message[] = [
    { role: 'system', content: 'Be brief — naïve café 🙂.' },
    user('What is 2+2?'),
    { role: 'assistant', content: '4' },
    user('<|im_end|> What is 3+4?'),
  ];

  it.each<[string, InferenceRequest<LlamaServerExtra>]>([
    ['a raw prompt', { prompt: 'What is' }],
    ['a raw prompt with special tokens', { prompt: '<|im_start|>user\nhi<|im_end|>\n<|im_start|>' }],
    ['a question', { messages: question }],
    ['a chat of several turns', { messages: chat }],
    ['a chat that is to be continued', { messages: question, extra: { add_generation_prompt: false } }],
    ['a chat with a schema', { messages: question, responseFormat: { type: 'json_schema', schema } }],
    ['a chat with tools', { messages: question, tools }],
    ['a chat with a forced tool', { messages: question, tools, toolChoice: { name: 'get_weather' } }],
    ['a chat with tools at an endpoint that asks to stream', { messages: chat, tools, stream: true }],
  ])('of %s is what the same request then uses', async (_name, request) => {
    const count = await adapter.countTokens?.(endpoint, request);
    const whole = { ...request, maxTokens: 1, temperature: 0 };
    const { usage } = await collect(adapter.streamInfer(endpoint, whole));
    expect(usage.source).toBe('reported');
    expect(count).toEqual({ tokens: usage.promptTokens, exact: true });
  });

  it('of a prompt longer than the context tells by how much, where inference only fails', async () => {
    const request = { prompt: 'What is 2+2? '.repeat(400) };
    const { error } = await collect(adapter.streamInfer(endpoint, request), { throwOnError: false });
    expect(error).toMatchObject({ category: 'context_length', promptTokens: expect.any(Number) });
    expect(await adapter.countTokens?.(endpoint, request)).toEqual({
      tokens: error?.promptTokens,
      exact: true,
    });
  });
});

describe('embed', () => {
  const texts = ['What is 2+2?', 'hi', 'The sky over the airfield is clear this morning.'];
  let server: RealLlamaServer;
  beforeAll(async () => {
    // One slot: with two, v0.5.0 gives the first text of a batch a vector that is 0.5 % off the one it gets alone.
    server = await startLlamaServer({ embeddings: true });
  });
  afterAll(() => server?.stop());

  it('gives vectors of one length in the order of the texts', async () => {
    const endpoint = endpointOf(server);
    const { meta } = (await server.get<{ data: { meta: { n_embd: number } }[] }>('/v1/models')).data[0] ?? {};
    const all = await adapter.embed?.(endpoint, { input: texts });
    const single = await Promise.all(texts.map(input => adapter.embed?.(endpoint, { input })));
    expect(all?.embeddings.map(vector => vector.length)).toEqual(texts.map(() => meta?.n_embd));
    single.forEach((one, i) => {
      expect(cosine(one?.embeddings[0], all?.embeddings[i])).toBeCloseTo(1, 3);
    });
    expect(cosine(all?.embeddings[0], all?.embeddings[1])).toBeLessThan(0.999);
    const promptTokens = single.reduce((sum, one) => sum + (one?.usage.promptTokens ?? 0), 0);
    expect(all?.usage).toMatchObject({ promptTokens, completionTokens: 0, source: 'reported' });
  });

  it('gives the same vectors in base64, and over openai_chat', async () => {
    const endpoint = endpointOf(server);
    const floats = await adapter.embed?.(endpoint, { input: texts });
    const coded = await adapter.embed?.(endpoint, { input: texts, extra: { encoding_format: 'base64' } });
    const compatible = { ...endpoint, backendKind: 'openai_chat', baseUrl: `${server.url}/v1` };
    const other = await openAIChatAdapter().embed?.(compatible, { input: texts });
    texts.forEach((_text, i) => {
      expect(cosine(floats?.embeddings[i], coded?.embeddings[i])).toBeCloseTo(1, 5);
      expect(cosine(floats?.embeddings[i], other?.embeddings[i])).toBeCloseTo(1, 5);
    });
  });

  it('refuses a length that the server leaves unread', async () => {
    const failing = adapter.embed?.(endpointOf(server), { input: 'hi', dimensions: 7 });
    await expect(failing).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('a server that was not started for embeddings', () => {
  it('says how to start it, and lists its model with the context of a slot', async () => {
    const server = await startLlamaServer({ slots: 2, contextTokens: 512, apiKey: 'the-right-key' });
    const endpoint = endpointOf(server, { apiKey: 'the-right-key' });
    try {
      await expect(adapter.embed?.(endpoint, { input: 'hi' })).rejects.toMatchObject({
        category: 'invalid_request',
        status: 501,
        message: expect.stringContaining('--embeddings'),
      });
      expect(await adapter.listModels?.(endpoint)).toEqual([
        { id: 'pilot', ownedBy: 'llamacpp', createdAt: expect.any(Number), contextTokens: 512 },
      ]);
      const wrong = { ...endpoint, apiKey: 'the-wrong-key' };
      await expect(adapter.listModels?.(wrong)).rejects.toMatchObject({ category: 'auth', status: 401 });
    } finally {
      await server.stop();
    }
  });
});

describe('readiness', () => {
  it('is waited for while the server starts and loads its model', async () => {
    const server = await startLlamaServer({ untilReady: false });
    try {
      await until(async () => (await fetch(`${server.url}/health`).catch(() => undefined)) !== undefined);
      const endpoint = endpointOf(server);
      expect(await adapter.countTokens?.(endpoint, { messages: question })).toMatchObject({ exact: true });
      expect(await adapter.listModels?.(endpoint)).toMatchObject([{ id: 'pilot' }]);
    } finally {
      await server.stop();
    }
  });
});

function cosine(a: number[] = [], b: number[] = []): number {
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
