import { afterEach, describe, expect, it } from 'vitest';
import {
  json,
  type Script,
  type ScriptedServer,
  scriptedServer,
} from '../../../../../test/scripted-server.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import { withRetry } from '../../wrap/retry.ts';
import { endpointAt, KEY } from './__fixtures__/sent.ts';
import { azureOpenAIAdapter } from './index.ts';

const adapter = azureOpenAIAdapter();

let server: ScriptedServer;
afterEach(() => server?.close());

async function serve(...scripts: Script[]): Promise<string> {
  server = await scriptedServer(...scripts);
  return server.url;
}

function keyless(baseUrl: string): EndpointSpec {
  const { apiKey: _, ...endpoint } = endpointAt(baseUrl);
  return endpoint;
}

const vectors = json(200, { data: [{ index: 0, embedding: [1, 2] }], usage: { prompt_tokens: 3 } });

describe('embed', () => {
  it.each([
    ['v1', {}, '/openai/v1/embeddings', { model: 'dep', input: 'one' }],
    [
      'deployments',
      { apiVersion: '2024-10-21' },
      '/openai/deployments/dep/embeddings?api-version=2024-10-21',
      { input: 'one' },
    ],
    ['models', {}, '/models/embeddings?api-version=2024-05-01-preview', { model: 'dep', input: 'one' }],
  ])('of %s goes to the deployment', async (family, options, path, body) => {
    const endpoint = endpointAt(await serve(vectors), { options: { ...options, family } });
    expect(await adapter.embed?.(endpoint, { input: 'one' })).toEqual({
      embeddings: [[1, 2]],
      usage: { promptTokens: 3, completionTokens: 0, totalTokens: 3, source: 'reported' },
    });
    expect(server.seen).toMatchObject([{ method: 'POST', path, headers: { 'api-key': KEY } }]);
    expect(server.seen[0]?.body).toEqual(body);
  });

  it('takes the deployment that the request names, with all that can be said', async () => {
    const endpoint = endpointAt(await serve(vectors), { options: { family: 'deployments' } });
    await adapter.embed?.(endpoint, { input: ['one'], model: 'a/b', dimensions: 2, extra: { user: 'u' } });
    expect(server.seen[0]).toMatchObject({
      path: '/openai/deployments/a%2Fb/embeddings?api-version=2024-02-01',
      body: { input: ['one'], dimensions: 2, user: 'u' },
    });
  });

  it('without a deployment is refused by name, and nothing is sent', async () => {
    const { model: _, ...endpoint } = endpointAt(await serve(vectors));
    await expect(adapter.embed?.(endpoint, { input: 'one' })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('set options.deployment'),
    });
    expect(server.seen).toHaveLength(0);
  });

  it('asks for the token before every attempt', async () => {
    let asked = 0;
    const getToken = async () => `token-number-${++asked}`;
    const retrying = withRetry(azureOpenAIAdapter({ getToken }), { baseDelayMs: 1 });
    await retrying.embed?.(keyless(await serve(json(503, {}), vectors)), { input: 'one' });
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-number-1',
      'Bearer token-number-2',
    ]);
  });

  it.each([
    [401, { error: { code: '401', message: 'why' } }, { category: 'auth' }, /key of this very resource/],
    [404, { error: { code: 'DeploymentNotFound' } }, { category: 'not_found' }, /deployment dep exists/],
    [429, { error: { code: '429', message: 'why' } }, { category: 'rate_limit', retryable: true }, /why/],
    [200, {}, { category: 'parse' }, /no vectors for 1 texts/],
  ])('answered with %i %j fails by name, with what can be done', async (status, body, expected, said) => {
    const endpoint = endpointAt(await serve(json(status, body)));
    const failing = adapter.embed?.(endpoint, { input: 'one' });
    await expect(failing).rejects.toMatchObject({ ...expected, message: expect.stringMatching(said) });
  });
});

describe('listModels', () => {
  it.each([
    ['v1', {}, '/openai/v1/models'],
    ['deployments', { apiVersion: '2024-10-21' }, '/openai/models?api-version=2024-10-21'],
  ])('of %s reads the list, and needs no deployment', async (family, options, path) => {
    const url = await serve(json(200, { data: [{ id: 'gpt-x', created_at: 1 }] }));
    const { model: _, ...endpoint } = endpointAt(url, { options: { ...options, family } });
    expect(await adapter.listModels?.(endpoint)).toEqual([{ id: 'gpt-x', createdAt: 1_000 }]);
    expect(server.seen).toMatchObject([{ method: 'GET', path, headers: { 'api-key': KEY } }]);
  });

  it('of models reads the one that /info tells', async () => {
    const info = { model_name: 'phi', model_type: 'chat-completion', model_provider_name: 'Phi' };
    const url = await serve(json(200, info), json(200, {}));
    const endpoint = endpointAt(url, { options: { family: 'models' } });
    expect(await adapter.listModels?.(endpoint)).toEqual([{ id: 'phi', ownedBy: 'Phi' }]);
    expect(server.seen).toMatchObject([{ path: '/models/info?api-version=2024-05-01-preview' }]);
    await expect(adapter.listModels?.(endpoint)).rejects.toMatchObject({ category: 'parse' });
  });

  it('shows an Entra token, and it is in no error', async () => {
    const token = 'eyJhbGciOi.Zm9vYmFyYmF6.c2lnbmF0dXJl';
    const url = await serve(json(401, { error: { code: '401', message: `bad ${token} here` } }));
    const own = azureOpenAIAdapter({ getToken: async () => token });
    const error = await own.listModels?.(keyless(url)).catch(error => error);
    expect(server.seen[0]?.headers).toMatchObject({ authorization: `Bearer ${token}` });
    expect(error).toMatchObject({
      category: 'auth',
      message: expect.stringMatching(/bad \*\*\* here; check/),
    });
    expect(`${JSON.stringify(error)}${error.stack}`).not.toContain(token);
  });
});

describe('countTokens', () => {
  it('is not there, as Chat Completions has none', () => {
    expect(adapter.countTokens).toBeUndefined();
    expect(adapter.capabilities).toMatchObject({ embed: true, countTokens: false, listModels: true });
  });
});
