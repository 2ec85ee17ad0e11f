import { afterEach, describe, expect, it } from 'vitest';
import { json, type ScriptedServer, scriptedServer, sse } from '../../../../../test/scripted-server.ts';
import { endpointAt, infer, sent } from './__fixtures__/sent.ts';

const RES = 'https://res.openai.azure.com';
const request = { tools: [{ name: 'f', parameters: {} }], parallelToolCalls: false };
const USAGE = { stream_options: { include_usage: true } };

describe('what the api-version allows', () => {
  it.each([
    ['2024-02-01', false],
    ['2024-06-01', false],
    ['2024-08-01-preview', false],
    ['2024-09-01-preview', true],
    ['2024-10-21', true],
    ['2025-04-01-preview', true],
    ['preview', true],
  ])('stream_options and parallel_tool_calls with %s: %s', async (apiVersion, allowed) => {
    const { body } = await sent(endpointAt(RES, { options: { apiVersion } }), request);
    expect('stream_options' in body).toBe(allowed);
    expect('parallel_tool_calls' in body).toBe(allowed);
  });

  it('is everything on v1', async () => {
    const { body } = await sent(endpointAt(`${RES}/openai/v1`), { ...request, serviceTier: 'priority' });
    expect(body).toMatchObject({ ...USAGE, parallel_tool_calls: false, service_tier: 'priority' });
  });

  it('is less where the version is the default of deployments or models', async () => {
    for (const baseUrl of [`${RES}/openai/deployments/dep`, `${RES}/models`]) {
      const { body } = await sent(endpointAt(baseUrl), { ...request, serviceTier: 'priority' });
      expect(body).not.toHaveProperty('stream_options');
      expect(body).not.toHaveProperty('service_tier');
      expect(body).not.toHaveProperty('parallel_tool_calls');
    }
  });

  it('gives way to includeUsage and parallelToolCalls, each on its own', async () => {
    const old = { apiVersion: '2024-02-01' };
    const on = await sent(endpointAt(RES, { options: { ...old, includeUsage: true } }), request);
    expect(on.body).toMatchObject(USAGE);
    expect(on.body).not.toHaveProperty('parallel_tool_calls');
    const v1 = `${RES}/openai/v1`;
    const off = await sent(endpointAt(v1, { options: { includeUsage: false } }), request);
    expect(off.body).not.toHaveProperty('stream_options');
    expect(off.body).toMatchObject({ parallel_tool_calls: false });
    const none = await sent(endpointAt(v1, { options: { parallelToolCalls: false } }), request);
    expect(none.body).not.toHaveProperty('parallel_tool_calls');
  });
});

describe('the token limit', () => {
  let server: ScriptedServer | undefined;
  afterEach(() => server?.close());
  const refuse = (param: string) =>
    json(400, { error: { message: `no ${param}`, param, code: 'unsupported_parameter', type: 'x' } });
  const hello = sse([
    { choices: [{ index: 0, delta: { content: 'Hello' }, finish_reason: 'stop' }] },
    '[DONE]',
  ]);
  const bodies = () => server?.seen.map(({ body }) => body as Record<string, unknown>) ?? [];

  it('is max_tokens unless maxTokensField says otherwise', async () => {
    expect((await sent(endpointAt(RES), { maxTokens: 9 })).body).toMatchObject({ max_tokens: 9 });
    const options = { maxTokensField: 'max_completion_tokens' };
    const { body } = await sent(endpointAt(RES, { options }), { maxTokens: 9 });
    expect(body).toMatchObject({ max_completion_tokens: 9 });
    expect(body).not.toHaveProperty('max_tokens');
  });

  it('a reasoning deployment refuses max_tokens: its name is swapped once, in the same attempt', async () => {
    server = await scriptedServer(refuse('max_tokens'), hello);
    expect(await infer(endpointAt(server.url), { maxTokens: 9 })).toMatchObject({
      text: 'Hello',
      attempts: { length: 1 },
    });
    expect(bodies()).toMatchObject([{ max_tokens: 9 }, { max_completion_tokens: 9 }]);
    expect(bodies()[1]).not.toHaveProperty('max_tokens');
  });

  it('refused under both names is an error after two tries', async () => {
    server = await scriptedServer(refuse('max_tokens'), refuse('max_completion_tokens'), hello);
    expect(await infer(endpointAt(server.url), { maxTokens: 9 })).toMatchObject({
      error: { category: 'invalid_request', code: 'unsupported_parameter', retryable: false },
    });
    expect(server.seen).toHaveLength(2);
  });

  it('that the caller put into extra is left alone', async () => {
    server = await scriptedServer(refuse('max_tokens'), hello);
    expect(await infer(endpointAt(server.url), { extra: { max_tokens: 9 } })).toMatchObject({
      error: { category: 'invalid_request' },
    });
    expect(server.seen).toHaveLength(1);
  });

  it('stream_options that an old version refuses is dropped', async () => {
    const message = 'Unrecognized request argument supplied: stream_options';
    server = await scriptedServer(json(400, { error: { message, code: null, param: null } }), hello);
    expect(await infer(endpointAt(server.url))).toMatchObject({ text: 'Hello' });
    expect(bodies()[1]).not.toHaveProperty('stream_options');
  });
});
