import { describe, expect, it } from 'vitest';
import { readModels } from './models.ts';

const list = (...data: unknown[]) => ({ object: 'list', data });

describe('a list of models', () => {
  it.each([
    [
      'OpenAI',
      list({ id: 'gpt-x', object: 'model', created: 1_700_000_000, owned_by: 'openai' }),
      { id: 'gpt-x', createdAt: 1_700_000_000_000, ownedBy: 'openai' },
    ],
    [
      'vLLM',
      list({ id: 'org/m', owned_by: 'vllm', max_model_len: 8192 }),
      { id: 'org/m', ownedBy: 'vllm', contextTokens: 8192 },
    ],
    [
      'OpenRouter',
      list({
        id: 'org/m',
        name: 'Org: M',
        created: 1_700_000_000,
        context_length: 32_768,
        top_provider: { context_length: 32_768, max_completion_tokens: 4096 },
      }),
      {
        id: 'org/m',
        displayName: 'Org: M',
        createdAt: 1_700_000_000_000,
        contextTokens: 32_768,
        maxOutputTokens: 4096,
      },
    ],
    [
      'Together: a bare array',
      [{ id: 'org/m', display_name: 'M', organization: 'Org', created: 0, context_length: 4096 }],
      { id: 'org/m', displayName: 'M', ownedBy: 'Org', contextTokens: 4096 },
    ],
    [
      'Mistral',
      list({ id: 'm', name: 'm', owned_by: 'mistralai', max_context_length: 131_072 }),
      { id: 'm', ownedBy: 'mistralai', contextTokens: 131_072 },
    ],
    [
      'Groq',
      list({ id: 'm', owned_by: 'Meta', context_window: 131_072, max_completion_tokens: 32_768 }),
      { id: 'm', ownedBy: 'Meta', contextTokens: 131_072, maxOutputTokens: 32_768 },
    ],
    [
      'Azure’s deployments family',
      list({ id: 'm', status: 'succeeded', created_at: 1_700_000_000, lifecycle_status: 'preview' }),
      { id: 'm', createdAt: 1_700_000_000_000 },
    ],
    [
      'llama-server',
      { models: [{ name: 'm' }], ...list({ id: 'm', owned_by: 'llamacpp', meta: { n_ctx: 1024 } }) },
      { id: 'm', ownedBy: 'llamacpp', contextTokens: 1024 },
    ],
    [
      'a router that has not loaded the model',
      list({ id: 'm', created: null, context_length: null, meta: { n_ctx: 0 }, top_provider: null }),
      { id: 'm' },
    ],
    [
      'one that writes figures as text',
      list({ id: 'm', created: '2026', context_length: '8k' }),
      { id: 'm' },
    ],
  ])('as it comes from %s', (_server, json, model) => {
    expect(readModels(json)).toEqual([model]);
  });

  it('is empty where there are none, and leaves out what has no id', () => {
    expect(readModels({ object: 'list', data: null })).toEqual([]);
    expect(readModels(list({ id: '' }, null, {}, { id: 'm' }))).toEqual([{ id: 'm' }]);
  });

  it.each([null, {}, 'no', { data: {} }])('that is none, such as %j, is a parse error', json => {
    expect(() => readModels(json)).toThrow(expect.objectContaining({ category: 'parse' }));
  });

  it('with an error in it is that error', () => {
    const json = { error: { message: 'bad key', code: 'invalid_api_key' } };
    expect(() => readModels(json)).toThrow(expect.objectContaining({ category: 'auth' }));
  });
});
