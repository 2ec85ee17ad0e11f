import { describe, expect, it } from 'vitest';
import { json } from '../../../test/scripted-server.ts';
import { adapter, messages, serving } from './__fixtures__/served.ts';

const { seen, serve } = serving();

const refused = json(400, {
  error: {
    code: 400,
    message: 'API key not valid.',
    status: 'INVALID_ARGUMENT',
    details: [{ reason: 'API_KEY_INVALID' }],
  },
});

describe('embed', () => {
  it('sends all texts in one call and gives their vectors in order, with an estimate of the tokens', async () => {
    const endpoint = await serve(json(200, { embeddings: [{ values: [1, 2] }, { values: [3, 4] }] }));
    const request = {
      input: ['four', 'eight ch'],
      model: 'gemini-embedding-001',
      dimensions: 2,
      extra: { taskType: 'CLUSTERING' },
    };
    expect(await adapter.embed?.(endpoint, request)).toEqual({
      embeddings: [
        [1, 2],
        [3, 4],
      ],
      usage: { promptTokens: 3, completionTokens: 0, totalTokens: 3, source: 'estimated' },
    });
    const common = { model: 'models/gemini-embedding-001', outputDimensionality: 2, taskType: 'CLUSTERING' };
    expect(seen()[0]).toMatchObject({
      path: '/v1beta/models/gemini-embedding-001:batchEmbedContents',
      body: {
        requests: [
          { ...common, content: { parts: [{ text: 'four' }] } },
          { ...common, content: { parts: [{ text: 'eight ch' }] } },
        ],
      },
    });
  });

  it('is a parse error when a vector is missing', async () => {
    const endpoint = await serve(json(200, { embeddings: [{ values: [1] }] }));
    await expect(adapter.embed?.(endpoint, { input: ['a', 'b'] })).rejects.toMatchObject({
      category: 'parse',
      message: expect.stringContaining('2 texts with 1 embeddings'),
    });
  });
});

describe('countTokens', () => {
  it('counts the whole request, its system message and tools too', async () => {
    const endpoint = await serve(json(200, { totalTokens: 31 }), json(200, {}));
    const request = {
      messages: [{ role: 'system' as const, content: 'S' }, ...messages],
      tools: [{ name: 'wx', parameters: { type: 'object' } }],
    };
    expect(await adapter.countTokens?.(endpoint, request)).toEqual({ tokens: 31, exact: true });
    expect(seen()[0]).toMatchObject({
      path: '/v1beta/models/gemini-3-flash:countTokens',
      body: {
        generateContentRequest: {
          model: 'models/gemini-3-flash',
          systemInstruction: { parts: [{ text: 'S' }] },
          contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
          tools: [{ functionDeclarations: [{ name: 'wx' }] }],
        },
      },
    });
    await expect(adapter.countTokens?.(endpoint, request)).rejects.toThrow(/without totalTokens/);
  });
});

describe('listModels', () => {
  it('reads all pages', async () => {
    const flash = {
      name: 'models/gemini-3-flash',
      displayName: 'Gemini 3 Flash',
      inputTokenLimit: 1_048_576,
      outputTokenLimit: 65_536,
    };
    const endpoint = await serve(
      json(200, { models: [flash], nextPageToken: 'p/2' }),
      json(200, { models: [{ name: 'models/aqa' }, {}], nextPageToken: '' }),
    );
    expect(await adapter.listModels?.(endpoint)).toEqual([
      {
        id: 'gemini-3-flash',
        displayName: 'Gemini 3 Flash',
        contextTokens: 1_048_576,
        maxOutputTokens: 65_536,
      },
      { id: 'aqa' },
    ]);
    expect(seen().map(({ path }) => path)).toEqual([
      '/v1beta/models?pageSize=1000',
      '/v1beta/models?pageSize=1000&pageToken=p%2F2',
    ]);
  });

  it('throws the error that the API answers', async () => {
    await expect(adapter.listModels?.(await serve(refused))).rejects.toMatchObject({ category: 'auth' });
  });
});

describe('health', () => {
  it('is healthy when the models can be listed with our key, else unhealthy with the reason', async () => {
    const endpoint = { ...(await serve(json(200, { models: [] }), refused)), apiKey: 'hunter2' };
    expect(await adapter.health(endpoint)).toMatchObject({ state: 'healthy' });
    expect(await adapter.health(endpoint)).toMatchObject({
      state: 'unhealthy',
      reason: expect.stringContaining('API key not valid'),
    });
    expect(seen()[0]).toMatchObject({
      method: 'GET',
      path: '/v1beta/models?pageSize=1',
      headers: { 'x-goog-api-key': 'hunter2' },
    });
  });
});
