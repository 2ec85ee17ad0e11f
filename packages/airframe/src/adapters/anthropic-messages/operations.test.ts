import { describe, expect, it } from 'vitest';
import { json, type Script } from '../../../../../test/scripted-server.ts';
import { adapter, messages, serving } from './__fixtures__/served.ts';

const { seen, serve } = serving();

const error = (type: string) => ({ type: 'error', error: { type, message: 'why' } });

describe('health', () => {
  it('is healthy when the models can be listed with our key, open where there is no list, else unhealthy', async () => {
    const endpoint = await serve(
      json(200, { data: [] }),
      json(404, error('not_found_error')),
      json(401, error('authentication_error')),
    );
    const states = [];
    for (let i = 0; i < 3; i++) states.push((await adapter.health({ ...endpoint, apiKey: 'k' })).state);
    expect(states).toEqual(['healthy', 'unknown', 'unhealthy']);
    expect(seen()[0]).toMatchObject({
      method: 'GET',
      path: '/v1/models?limit=1',
      headers: { 'x-api-key': 'k' },
    });
  });
});

describe('countTokens', () => {
  const request = {
    messages,
    maxTokens: 9,
    temperature: 1,
    stop: ['x'],
    serviceTier: 'auto',
    promptCache: {},
  };

  it('counts a prompt without the fields that count_tokens refuses, and calls it an estimate', async () => {
    const endpoint = await serve(json(200, { input_tokens: 14 }));
    expect(await adapter.countTokens?.(endpoint, request)).toEqual({ tokens: 14, exact: false });
    expect(seen()[0]).toMatchObject({ method: 'POST', path: '/v1/messages/count_tokens' });
    expect(Object.keys(seen()[0]?.body as object)).toEqual(['model', 'messages', 'cache_control']);
  });

  it('needs a chat', async () => {
    const endpoint = await serve(json(200, { input_tokens: 14 }));
    await expect(adapter.countTokens?.(endpoint, { prompt: 'raw' })).rejects.toMatchObject({
      code: 'unsupported',
    });
    expect(seen()).toHaveLength(0);
  });

  it.each([
    [200, {}, { category: 'parse', message: expect.stringContaining('without input_tokens') }],
    [400, error('invalid_request_error'), { category: 'invalid_request' }],
    [429, error('rate_limit_error'), { category: 'rate_limit', retryable: true }],
    [529, error('overloaded_error'), { category: 'overloaded', retryable: true }],
  ])('answered with %i %j fails by name', async (status, body, expected) => {
    const endpoint = await serve(json(status, body));
    await expect(adapter.countTokens?.(endpoint, request)).rejects.toMatchObject(expected);
  });
});

describe('listModels', () => {
  const page = (ids: string[], has_more: boolean): Script =>
    json(200, { data: ids.map(id => ({ type: 'model', id })), has_more, last_id: ids.at(-1) ?? null });

  it('reads a model', async () => {
    const model = {
      type: 'model',
      id: 'claude-x',
      display_name: 'Claude X',
      created_at: '2026-02-19T00:00:00Z',
      max_input_tokens: 200_000,
      max_tokens: 64_000,
    };
    const unknown = { ...model, id: 'y', display_name: 'y', created_at: '1970-01-01T00:00:00Z' };
    const data = [model, { ...unknown, max_input_tokens: null, max_tokens: null }, {}, null];
    const endpoint = await serve(json(200, { data, has_more: false }));
    expect(await adapter.listModels?.({ ...endpoint, apiKey: 'k' })).toEqual([
      {
        id: 'claude-x',
        displayName: 'Claude X',
        createdAt: Date.UTC(2026, 1, 19),
        contextTokens: 200_000,
        maxOutputTokens: 64_000,
      },
      { id: 'y' },
    ]);
    expect(seen()).toMatchObject([
      { method: 'GET', path: '/v1/models?limit=1000', headers: { 'x-api-key': 'k' } },
    ]);
  });

  it('goes on page by page from the last id', async () => {
    const endpoint = await serve(page(['a', 'b'], true), page(['c&d'], true), page(['e'], false));
    const ids = (await adapter.listModels?.(endpoint))?.map(({ id }) => id);
    expect(ids).toEqual(['a', 'b', 'c&d', 'e']);
    expect(seen().map(({ path }) => path)).toEqual([
      '/v1/models?limit=1000',
      '/v1/models?limit=1000&after_id=b',
      '/v1/models?limit=1000&after_id=c%26d',
    ]);
  });

  it('ends where there is more but nothing to go on from', async () => {
    const endpoint = await serve(page([], true));
    expect(await adapter.listModels?.(endpoint)).toEqual([]);
    expect(seen()).toHaveLength(1);
  });

  it('does not run for ever after a server that always has more', async () => {
    const endpoint = await serve(page(['a'], true));
    await expect(adapter.listModels?.(endpoint)).rejects.toMatchObject({
      category: 'parse',
      message: expect.stringContaining('has no end: 20 pages'),
    });
    expect(seen()).toHaveLength(20);
  });

  it.each([
    [200, { models: [] }, { category: 'parse' }],
    [401, error('authentication_error'), { category: 'auth' }],
    // Azure Foundry has none.
    [404, error('not_found_error'), { category: 'not_found' }],
  ])('answered with %i %j fails by name', async (status, body, expected) => {
    const endpoint = await serve(json(status, body));
    await expect(adapter.listModels?.(endpoint)).rejects.toMatchObject(expected);
  });
});

describe('embed', () => {
  it('is not there: Anthropic has none', () => {
    expect(adapter.embed).toBeUndefined();
    expect(adapter.capabilities).toMatchObject({ embed: false, countTokens: true, listModels: true });
  });
});
