import { describe, expect, it } from 'vitest';
import { json } from '../../../../../test/scripted-server.ts';
import { adapter, messages, serving } from './__fixtures__/served.ts';

const { seen, serve } = serving();

const counted = json(200, { object: 'response.input_tokens', input_tokens: 31 });
const tools = [{ name: 'wx', parameters: { type: 'object' } }];

describe('countTokens', () => {
  it('is exact, from the input as it would be sent', async () => {
    const endpoint = await serve(counted);
    const request = { messages, tools, toolChoice: 'auto' as const };
    expect(await adapter.countTokens?.(endpoint, request)).toEqual({ tokens: 31, exact: true });
    expect(seen()).toMatchObject([{ method: 'POST', path: '/v1/responses/input_tokens' }]);
    expect(seen()[0]?.body).toMatchObject({
      model: 'gpt-x',
      input: [{ role: 'user' }],
      tools: [{ type: 'function', name: 'wx' }],
      tool_choice: 'auto',
    });
  });

  it('sends nothing that the route does not take', async () => {
    const endpoint = await serve(counted);
    await adapter.countTokens?.(endpoint, {
      messages,
      maxTokens: 9,
      temperature: 1,
      serviceTier: 'auto',
      promptCache: { key: 'k' },
      reasoning: { effort: 'low' },
      responseFormat: { type: 'json' },
      extra: { metadata: { a: 'b' }, truncation: 'auto' },
    });
    const body = seen()[0]?.body as object;
    expect(Object.keys(body).sort()).toEqual(['input', 'model', 'reasoning', 'text', 'truncation']);
  });

  it('refuses what the API has no form for, and nothing is sent', async () => {
    const endpoint = await serve(counted);
    await expect(adapter.countTokens?.(endpoint, { prompt: 'raw' })).rejects.toMatchObject({
      code: 'unsupported',
    });
    expect(seen()).toHaveLength(0);
  });

  it.each([
    [200, {}, { category: 'parse', message: expect.stringContaining('without input_tokens') }],
    [200, null, { category: 'parse' }],
    [200, { error: { message: 'why', code: 'server_error' } }, { category: 'backend', retryable: true }],
    [401, { error: { message: 'why', code: 'invalid_api_key' } }, { category: 'auth' }],
    [404, { error: { message: 'why', code: 'model_not_found' } }, { category: 'not_found' }],
    [500, {}, { category: 'backend', retryable: true }],
  ])('answered with %i %j fails by name', async (status, body, expected) => {
    const endpoint = await serve(json(status, body));
    await expect(adapter.countTokens?.(endpoint, { messages })).rejects.toMatchObject(expected);
  });
});

describe('embed and listModels', () => {
  it('use the routes beside it, with its headers', async () => {
    const endpoint = await serve(
      json(200, { data: [{ index: 0, embedding: [1, 2] }], usage: { prompt_tokens: 3 } }),
      json(200, { data: [{ id: 'gpt-x', created: 1 }] }),
    );
    const known = { ...endpoint, apiKey: 'k', options: { project: 'proj-1' } };
    expect(await adapter.embed?.(known, { input: 'one', model: 'e' })).toMatchObject({
      embeddings: [[1, 2]],
      usage: { promptTokens: 3, source: 'reported' },
    });
    expect(await adapter.listModels?.(known)).toEqual([{ id: 'gpt-x', createdAt: 1_000 }]);
    const headers = { authorization: 'Bearer k', 'openai-project': 'proj-1' };
    expect(seen()).toMatchObject([
      { method: 'POST', path: '/v1/embeddings', headers, body: { model: 'e', input: 'one' } },
      { method: 'GET', path: '/v1/models', headers },
    ]);
  });

  it('tell at the root of a host what the address lacks, as counting does', async () => {
    const endpoint = await serve(json(404, {}));
    const rootless = { ...endpoint, baseUrl: endpoint.baseUrl.replace('/v1', '') };
    for (const call of [
      adapter.embed?.(rootless, { input: 'one' }),
      adapter.countTokens?.(rootless, { messages }),
      adapter.listModels?.(rootless),
    ]) {
      await expect(call).rejects.toThrow('ends in /v1');
    }
  });
});
