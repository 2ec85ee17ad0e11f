import { collect } from '@x/airframe';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { json } from '../../../../test/scripted-server.ts';
import { busy, chatAnswer, responsesAnswer, serving, silent } from '../../test/scripted-clouds.ts';
import { OpenAIProvider } from './openai.ts';

const VARIABLES = ['API_KEY', 'BASE_URL', 'MODEL', 'ORG_ID', 'PROJECT_ID'];
const serve = serving<OpenAIProvider>();
const KEY = 'sk-given-in-code';

beforeEach(() => {
  for (const name of VARIABLES) vi.stubEnv(`OPENAI_${name}`, '');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('OpenAIProvider', () => {
  it('has the documented defaults', async () => {
    vi.stubEnv('OPENAI_API_KEY', 'sk-of-environment');
    const provider = new OpenAIProvider();
    expect(provider.supportsStreaming).toBe(true);
    expect(provider.getStats().adapter).toEqual({
      kind: 'openai_chat',
      endpoint: 'openai',
      baseUrl: 'https://api.openai.com/v1',
      timeouts: { headersMs: 60_000, idleMs: 60_000 },
      api: 'chat',
      maxRetries: 3,
    });
  });

  it('asks Chat Completions, adds nothing that nobody said, and counts what it cost', async () => {
    const { provider, seen } = await serve(
      url => new OpenAIProvider({ apiKey: KEY, baseUrl: `${url}/v1` }),
      chatAnswer,
    );
    expect(await provider.generate('gpt-4', 'Hi')).toBe('Hello world');
    expect(seen[0]).toMatchObject({
      path: '/v1/chat/completions',
      headers: { authorization: `Bearer ${KEY}` },
    });
    expect(Object.keys(seen[0]?.body as object).sort()).toEqual([
      'messages',
      'model',
      'stream',
      'stream_options',
    ]);
    const { requests, costUsd } = provider.getStats();
    expect(requests).toBe(1);
    expect(costUsd).toBeCloseTo((12 * 0.03 + 2 * 0.06) / 1_000, 12);
  });

  it('streams with a final chunk that tells usage and cost', async () => {
    const { provider } = await serve(url => new OpenAIProvider({ apiKey: KEY, baseUrl: url }), chatAnswer);
    const chunks = [];
    for await (const chunk of provider.generateStream('gpt-4', 'Hi')) chunks.push(chunk);
    expect(chunks.map(chunk => chunk.text)).toEqual(['Hello', ' world', '']);
    expect(chunks[2]?.metadata).toMatchObject({
      finishReason: 'stop',
      priced: true,
      usage: { totalTokens: 14 },
    });
  });

  it('asks the Responses API when told to', async () => {
    const options = { apiKey: KEY, api: 'responses', model: 'gpt-4' } as const;
    const { provider, seen } = await serve(
      url => new OpenAIProvider({ ...options, baseUrl: `${url}/v1` }),
      responsesAnswer,
    );
    expect(await provider.generate('', 'Hi')).toBe('Hello');
    expect(seen[0]).toMatchObject({ path: '/v1/responses', body: { model: 'gpt-4' } });
    expect(provider.getStats().adapter).toMatchObject({ kind: 'openai_responses', api: 'responses' });
  });

  it('takes key, address, model and account from the environment, and code comes first', async () => {
    vi.stubEnv('OPENAI_API_KEY', ' sk-of-environment ');
    vi.stubEnv('OPENAI_MODEL', 'gpt-4');
    vi.stubEnv('OPENAI_ORG_ID', 'org-1');
    vi.stubEnv('OPENAI_PROJECT_ID', 'proj-1');
    const { provider, seen } = await serve(url => {
      vi.stubEnv('OPENAI_BASE_URL', url);
      return new OpenAIProvider();
    }, chatAnswer);
    await provider.generate('', 'Hi');
    expect(seen[0]).toMatchObject({
      headers: {
        authorization: 'Bearer sk-of-environment',
        'openai-organization': 'org-1',
        'openai-project': 'proj-1',
      },
      body: { model: 'gpt-4' },
    });
    const second = await serve(
      url =>
        new OpenAIProvider({ apiKey: KEY, baseUrl: url, model: 'm', organization: 'org-2', project: '' }),
      chatAnswer,
    );
    await second.provider.generate('', 'Hi');
    expect(second.seen[0]).toMatchObject({
      headers: { authorization: `Bearer ${KEY}`, 'openai-organization': 'org-2' },
      body: { model: 'm' },
    });
    expect(second.seen[0]?.headers).not.toHaveProperty('openai-project');
  });

  it('says which variable the key is missing from, but for a server that wants none', async () => {
    expect(() => new OpenAIProvider()).toThrow(
      expect.objectContaining({
        category: 'auth',
        code: 'configuration',
        message: 'provider openai has no API key; set OPENAI_API_KEY or give apiKey',
      }),
    );
    vi.stubEnv('OPENAI_API_KEY', 'sk-of-environment');
    const { provider, seen } = await serve(
      url => new OpenAIProvider({ apiKey: '', baseUrl: url }),
      chatAnswer,
    );
    await provider.generate('qwen', 'Hi');
    expect(seen[0]?.headers).not.toHaveProperty('authorization');
  });

  it('says which variable the model is missing from, and sends nothing', async () => {
    const { provider, seen } = await serve(
      url => new OpenAIProvider({ apiKey: KEY, baseUrl: url }),
      chatAnswer,
    );
    await expect(provider.generate('', 'Hi')).rejects.toMatchObject({
      category: 'invalid_request',
      code: 'configuration',
      message: 'provider openai was given no model; name one in the call or set OPENAI_MODEL',
    });
    expect(seen).toHaveLength(0);
  });

  it('speaks to other servers by their profile', async () => {
    const { provider, seen } = await serve(
      url => new OpenAIProvider({ apiKey: KEY, baseUrl: url, profile: 'openai' }),
      chatAnswer,
    );
    await provider.generate('m', 'Hi', { num_predict: 5 });
    expect(seen[0]?.body).toMatchObject({ max_completion_tokens: 5 });
    const cautious = await serve(url => new OpenAIProvider({ apiKey: KEY, baseUrl: url }), chatAnswer);
    await cautious.provider.generate('m', 'Hi', { num_predict: 5 });
    expect(cautious.seen[0]?.body).toMatchObject({ max_tokens: 5 });
  });

  it('uses its defaults where a call says nothing, and keeps the temperature to itself when told to', async () => {
    const defaults = { temperature: 0.4, maxTokens: 9 };
    const { provider, seen } = await serve(
      url => new OpenAIProvider({ apiKey: KEY, baseUrl: url, defaults }),
      chatAnswer,
    );
    await provider.generate('m', 'Hi');
    await provider.generate('m', 'Hi', { temperature: 1 });
    expect(seen.map(({ body }) => body)).toMatchObject([
      { temperature: 0.4, max_tokens: 9 },
      { temperature: 1, max_tokens: 9 },
    ]);
    const cold = await serve(
      url => new OpenAIProvider({ apiKey: KEY, baseUrl: url, defaults, sendTemperature: false }),
      chatAnswer,
    );
    await cold.provider.generate('m', 'Hi', { temperature: 1 });
    expect(cold.seen[0]?.body).not.toHaveProperty('temperature');
  });

  it('tries three times more, or as often as told', async () => {
    const { provider, seen } = await serve(url => new OpenAIProvider({ apiKey: KEY, baseUrl: url }), busy);
    const failed = await collect(provider.infer({ model: 'm', prompt: 'x' }), { throwOnError: false });
    expect(failed.error).toMatchObject({ category: 'overloaded' });
    expect([seen.length, failed.attempts.length]).toEqual([4, 4]);
    const once = await serve(url => new OpenAIProvider({ apiKey: KEY, baseUrl: url, maxRetries: 0 }), busy);
    await expect(once.provider.generate('m', 'x')).rejects.toMatchObject({ category: 'overloaded' });
    expect(once.seen).toHaveLength(1);
  });

  it('gives up on a server that is silent for longer than its timeout', async () => {
    const { provider } = await serve(
      url => new OpenAIProvider({ apiKey: KEY, baseUrl: url, timeout: 20, maxRetries: 0 }),
      silent,
    );
    await expect(provider.generate('m', 'x')).rejects.toMatchObject({
      category: 'timeout',
      message: expect.stringContaining('set LLM_TIMEOUT'),
    });
  });

  it('tells what to do about a key or a model that is refused, and never the key', async () => {
    const { provider } = await serve(
      url => new OpenAIProvider({ apiKey: KEY, baseUrl: url }),
      json(401, { error: { message: `Incorrect API key provided: ${KEY}` } }),
      json(404, { error: { message: 'no such model', code: 'model_not_found' } }),
    );
    const refused = await provider.generate('m', 'x').catch(error => error);
    expect(refused).toMatchObject({ category: 'auth', remedy: expect.stringContaining('OPENAI_API_KEY') });
    expect(JSON.stringify(refused) + refused.message).not.toContain(KEY);
    await expect(provider.generate('m', 'x')).rejects.toMatchObject({
      category: 'not_found',
      remedy: expect.stringContaining('OPENAI_BASE_URL'),
    });
  });

  it('embeds, and counts usage and cost of it', async () => {
    const vectors = {
      model: 'text-embedding-3-small',
      data: [{ index: 0, embedding: [0.5, 0.25] }],
      usage: { prompt_tokens: 1_000 },
    };
    const { provider, seen } = await serve(
      url => new OpenAIProvider({ apiKey: KEY, baseUrl: url, maxRetries: 0 }),
      json(200, vectors),
      json(401, {}),
    );
    const request = { model: 'text-embedding-3-small', input: 'text' };
    const result = await provider.embed(request);
    expect(result).toMatchObject({ embeddings: [[0.5, 0.25]], usage: { promptTokens: 1_000 } });
    expect(seen[0]).toMatchObject({ path: '/embeddings', body: { model: request.model } });
    await expect(provider.embed(request)).rejects.toMatchObject({
      category: 'auth',
      remedy: expect.stringContaining('OPENAI_API_KEY'),
    });
    expect(provider.getStats()).toMatchObject({ requests: 2, errors: 1, promptTokens: 1_000 });
    expect(provider.getStats().costUsd).toBeCloseTo(0.00002, 12);
  });

  it('lists models, checks the key by them, and counts tokens where the API does', async () => {
    const models = json(200, { data: [{ id: 'gpt-4' }, { id: 'gpt-5' }] });
    const { provider, seen } = await serve(url => new OpenAIProvider({ apiKey: KEY, baseUrl: url }), models);
    expect((await provider.listModels()).map(({ id }) => id)).toEqual(['gpt-4', 'gpt-5']);
    expect(await provider.healthCheck()).toBe(true);
    expect(seen.map(({ path }) => path)).toEqual(['/models', '/models']);
    const request = { model: 'm', messages: [{ role: 'user' as const, content: 'x' }] };
    await expect(provider.countTokens(request)).rejects.toMatchObject({
      code: 'unsupported',
      message: 'provider openai has no countTokens',
    });
    const counting = await serve(
      url => new OpenAIProvider({ apiKey: KEY, baseUrl: url, api: 'responses' }),
      json(200, { input_tokens: 7 }),
    );
    expect(await counting.provider.countTokens(request)).toEqual({ tokens: 7, exact: true });
    const refused = await serve(url => new OpenAIProvider({ apiKey: KEY, baseUrl: url }), json(401, {}));
    expect(await refused.provider.healthCheck()).toBe(false);
  });
});
