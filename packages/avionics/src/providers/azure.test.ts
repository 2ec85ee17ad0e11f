import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { json } from '../../../../test/scripted-server.ts';
import { busy, chatAnswer, serving, silent } from '../../test/scripted-clouds.ts';
import { AzureAIFoundryProvider } from './azure.ts';

const serve = serving<AzureAIFoundryProvider>();
const apiKey = 'azure-key-in-code';

beforeEach(() => {
  for (const name of ['ENDPOINT', 'API_KEY', 'DEPLOYMENT_NAME']) vi.stubEnv(`AZURE_${name}`, '');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('AzureAIFoundryProvider', () => {
  it('has the documented defaults', () => {
    const endpoint = 'https://res.openai.azure.com';
    const provider = new AzureAIFoundryProvider({ endpoint, apiKey, deploymentName: 'prod' });
    expect(provider.supportsStreaming).toBe(true);
    expect(provider.defaultModel).toBe('prod');
    expect(provider.getStats().adapter).toEqual({
      kind: 'azure_openai',
      endpoint: 'azure',
      baseUrl: endpoint,
      model: 'prod',
      timeouts: { headersMs: 60_000, idleMs: 60_000 },
      maxRetries: 3,
      apiVersion: '2024-02-01',
    });
  });

  it('calls the deployment, or the one that the call names, and prices the model behind it', async () => {
    const { provider, seen } = await serve(
      endpoint => new AzureAIFoundryProvider({ endpoint, apiKey, deploymentName: 'prod' }),
      chatAnswer,
    );
    expect(await provider.generate('', 'Hi')).toBe('Hello world');
    await provider.generate('other', 'Hi');
    expect(seen.map(({ path }) => path)).toEqual([
      '/openai/deployments/prod/chat/completions?api-version=2024-02-01',
      '/openai/deployments/other/chat/completions?api-version=2024-02-01',
    ]);
    expect(seen[0]?.headers).toMatchObject({ 'api-key': apiKey });
    expect(provider.getStats().costUsd).toBeCloseTo((2 * (12 * 0.03 + 2 * 0.06)) / 1_000, 12);
  });

  it('takes endpoint, key and deployment from the environment', async () => {
    vi.stubEnv('AZURE_API_KEY', 'azure-key-of-environment');
    vi.stubEnv('AZURE_DEPLOYMENT_NAME', 'prod');
    const { provider, seen } = await serve(url => {
      vi.stubEnv('AZURE_ENDPOINT', url);
      return new AzureAIFoundryProvider({ apiVersion: '2024-10-21' });
    }, chatAnswer);
    await provider.generate('', 'Hi');
    expect(seen[0]).toMatchObject({
      path: '/openai/deployments/prod/chat/completions?api-version=2024-10-21',
      headers: { 'api-key': 'azure-key-of-environment' },
    });
  });

  it.each([
    ['/openai/v1/', '2024-02-01', '/openai/v1/chat/completions'],
    ['/openai/v1', '2024-10-21', '/openai/v1/chat/completions'],
    ['/openai/v1', 'preview', '/openai/v1/chat/completions?api-version=preview'],
    ['/models', '2024-02-01', '/models/chat/completions?api-version=2024-05-01-preview'],
    ['/models', '2025-04-01', '/models/chat/completions?api-version=2025-04-01'],
  ])(
    'recognises an endpoint ending in %s: with version %s it is called at %s',
    async (suffix, apiVersion, path) => {
      const { provider, seen } = await serve(
        url =>
          new AzureAIFoundryProvider({ endpoint: url + suffix, apiKey, deploymentName: 'prod', apiVersion }),
        chatAnswer,
      );
      await provider.generate('', 'Hi');
      expect(seen[0]).toMatchObject({ path, body: { model: 'prod' } });
    },
  );

  it('shows an Entra token instead of a key, asked for before each try', async () => {
    vi.stubEnv('AZURE_API_KEY', 'azure-key-of-environment');
    let tokens = 0;
    const tokenProvider = vi.fn(async () => `token-number-${++tokens}`);
    const { provider, seen } = await serve(
      endpoint => new AzureAIFoundryProvider({ endpoint, tokenProvider, deploymentName: 'prod' }),
      busy,
      chatAnswer,
    );
    await provider.generate('', 'Hi');
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-number-1',
      'Bearer token-number-2',
    ]);
    expect(seen[0]?.headers).not.toHaveProperty('api-key');
    expect(tokenProvider).toHaveBeenCalledWith('https://ai.azure.com/.default');
  });

  it('says which variable an endpoint or a key is missing from', () => {
    expect(() => new AzureAIFoundryProvider({ apiKey })).toThrow(
      'provider azure has no endpoint; set AZURE_ENDPOINT, e.g. https://my-resource.openai.azure.com',
    );
    expect(() => new AzureAIFoundryProvider({ endpoint: 'https://res.openai.azure.com' })).toThrow(
      'provider azure has no API key; set AZURE_API_KEY, or give tokenProvider for Microsoft Entra ID',
    );
  });

  it('tries three times more, gives up on silence, and tells what to do', async () => {
    const { provider, seen } = await serve(
      endpoint => new AzureAIFoundryProvider({ endpoint, apiKey, deploymentName: 'prod' }),
      busy,
    );
    await expect(provider.generate('', 'x')).rejects.toMatchObject({ category: 'overloaded' });
    expect(seen).toHaveLength(4);
    const mute = await serve(
      endpoint =>
        new AzureAIFoundryProvider({ endpoint, apiKey, deploymentName: 'prod', timeout: 20, maxRetries: 0 }),
      silent,
    );
    await expect(mute.provider.generate('', 'x')).rejects.toMatchObject({ category: 'timeout' });
    const refused = await serve(
      endpoint => new AzureAIFoundryProvider({ endpoint, apiKey, deploymentName: 'prod' }),
      json(401, { error: { code: '401', message: 'Access denied' } }),
    );
    await expect(refused.provider.generate('', 'x')).rejects.toMatchObject({
      category: 'auth',
      message: expect.stringContaining('set AZURE_API_KEY'),
    });
  });

  it('embeds with a deployment and lists models', async () => {
    const { provider, seen } = await serve(
      endpoint => new AzureAIFoundryProvider({ endpoint, apiKey }),
      json(200, { data: [{ index: 0, embedding: [1] }], usage: { prompt_tokens: 3 } }),
      json(200, { data: [{ id: 'gpt-4' }] }),
    );
    expect(await provider.embed({ model: 'vectors', input: 'x' })).toMatchObject({ embeddings: [[1]] });
    expect((await provider.listModels()).map(({ id }) => id)).toEqual(['gpt-4']);
    expect(seen.map(({ path }) => path)).toEqual([
      '/openai/deployments/vectors/embeddings?api-version=2024-02-01',
      '/openai/models?api-version=2024-02-01',
    ]);
    expect(provider.getStats()).toMatchObject({ requests: 1, promptTokens: 3 });
  });
});
