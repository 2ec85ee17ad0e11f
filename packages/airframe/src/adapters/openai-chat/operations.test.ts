import { afterEach, describe, expect, it } from 'vitest';
import {
  json,
  type Script,
  type ScriptedServer,
  scriptedServer,
} from '../../../../../test/scripted-server.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import { openAIChatAdapter } from './index.ts';

const adapter = openAIChatAdapter();

let server: ScriptedServer;
afterEach(() => server?.close());

async function serve(...scripts: Script[]): Promise<EndpointSpec> {
  server = await scriptedServer(...scripts);
  return { name: 'gpt', backendKind: 'openai_chat', baseUrl: `${server.url}/v1`, apiKey: 'the-key' };
}

const answer = (...vectors: unknown[]) =>
  json(200, {
    object: 'list',
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    model: 'embed-x',
    usage: { prompt_tokens: 5, total_tokens: 5 },
  });

describe('embed', () => {
  it('asks /embeddings for one text, and for several with all that can be said', async () => {
    const endpoint = await serve(answer([1, 2]), answer([1], [2]));
    const options = { organization: 'org-1', project: 'proj-1' };
    expect(await adapter.embed?.({ ...endpoint, model: 'embed-x', options }, { input: 'one' })).toEqual({
      embeddings: [[1, 2]],
      model: 'embed-x',
      usage: { promptTokens: 5, completionTokens: 0, totalTokens: 5, source: 'reported' },
    });
    const request = { input: ['a', 'b'], model: 'own', dimensions: 1, extra: { user: 'u' } };
    expect(await adapter.embed?.({ ...endpoint, model: 'embed-x' }, request)).toMatchObject({
      embeddings: [[1], [2]],
    });
    expect(server.seen).toMatchObject([
      {
        method: 'POST',
        path: '/v1/embeddings',
        headers: {
          authorization: 'Bearer the-key',
          'openai-organization': 'org-1',
          'openai-project': 'proj-1',
        },
      },
      { path: '/v1/embeddings' },
    ]);
    expect(server.seen.map(({ body }) => body)).toEqual([
      { model: 'embed-x', input: 'one' },
      { model: 'own', input: ['a', 'b'], dimensions: 1, user: 'u' },
    ]);
  });

  it('decodes base64 when the caller asked for it', async () => {
    const endpoint = await serve(answer(Buffer.from(new Float32Array([0.5, 2]).buffer).toString('base64')));
    const request = { input: 'one', extra: { encoding_format: 'base64' } };
    expect(await adapter.embed?.(endpoint, request)).toMatchObject({ embeddings: [[0.5, 2]] });
    expect(server.seen[0]?.body).toMatchObject({ encoding_format: 'base64' });
  });

  it.each([[''], [[]], [['a', '']]])('refuses the input %j, and nothing is sent', async input => {
    const endpoint = await serve(answer([1]));
    await expect(adapter.embed?.(endpoint, { input })).rejects.toMatchObject({ category: 'invalid_request' });
    expect(server.seen).toHaveLength(0);
  });

  it.each([
    [401, { error: { message: 'why', code: 'invalid_api_key' } }, { category: 'auth' }],
    [404, { error: { message: 'why', code: 'model_not_found' } }, { category: 'not_found' }],
    [429, { error: { message: 'why', code: 'insufficient_quota' } }, { category: 'quota' }],
    [429, { error: { message: 'why' } }, { category: 'rate_limit', retryable: true }],
    [503, { error: { message: 'why' } }, { category: 'overloaded', retryable: true }],
    [
      400,
      { error: { message: "This model's maximum context length is 8192 tokens, why" } },
      { category: 'context_length', contextTokens: 8192 },
    ],
    [200, { error: { message: 'why', code: 502 } }, { category: 'overloaded' }],
    [200, { data: [] }, { category: 'parse' }],
  ])('answered with %i %j fails by name', async (status, body, expected) => {
    const endpoint = await serve(json(status, body));
    await expect(adapter.embed?.(endpoint, { input: 'one' })).rejects.toMatchObject({
      ...expected,
      attempts: [{ endpoint: 'gpt', outcome: expected.category }],
    });
  });

  it('shows no key, however the backend echoes it', async () => {
    const endpoint = await serve(json(200, { error: { message: 'bad key the-key' } }));
    const error = await adapter.embed?.(endpoint, { input: 'one' }).catch(error => error);
    expect(error.message).toContain('bad key ***');
    expect(`${JSON.stringify(error)}${error.stack}`).not.toContain('the-key');
  });

  it('at the root of a host tells what the address lacks', async () => {
    const endpoint = await serve(json(404, {}));
    const request = { input: 'one' };
    await expect(adapter.embed?.({ ...endpoint, baseUrl: server.url }, request)).rejects.toThrow('/v1');
  });
});

describe('listModels', () => {
  it('reads /models, also at OpenRouter, whose health is asked elsewhere', async () => {
    const endpoint = await serve(json(200, { data: [{ id: 'm', context_length: 4096 }] }));
    const openrouter = { ...endpoint, options: { profile: 'openrouter' } };
    expect(await adapter.listModels?.(openrouter)).toEqual([{ id: 'm', contextTokens: 4096 }]);
    expect(server.seen).toMatchObject([
      { method: 'GET', path: '/v1/models', headers: { authorization: 'Bearer the-key' } },
    ]);
  });

  it('fails by name, and at the root of a host tells what the address lacks', async () => {
    const endpoint = await serve(
      json(401, { error: { message: 'no', code: 'invalid_api_key' } }),
      json(404, {}),
    );
    await expect(adapter.listModels?.(endpoint)).rejects.toMatchObject({ category: 'auth', status: 401 });
    await expect(adapter.listModels?.({ ...endpoint, baseUrl: server.url })).rejects.toThrow('/v1');
  });
});

describe('countTokens', () => {
  it('is not there: Chat Completions has no count', () => {
    expect(adapter.countTokens).toBeUndefined();
    expect(adapter.capabilities).toMatchObject({ embed: true, countTokens: false, listModels: true });
  });
});
