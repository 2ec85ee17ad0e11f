import { afterEach, describe, expect, it } from 'vitest';
import { json, type Script, type ScriptedServer, scriptedServer } from '../../../../test/scripted-server.ts';
import type { Adapter, InferOptions } from '../adapter.ts';
import { collect } from '../collect.ts';
import type { EndpointSpec } from '../endpoint.ts';
import { fakeAdapter } from '../testing/fake-adapter.ts';
import { withRetry } from '../wrap/retry.ts';
import { anthropicMessagesAdapter } from './anthropic-messages/index.ts';
import { azureOpenAIAdapter } from './azure-openai/index.ts';
import { llamaServerAdapter } from './llama-server/index.ts';
import { openAIChatAdapter } from './openai-chat/index.ts';
import { openAIResponsesAdapter } from './openai-responses/index.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const headers = { traceparent, 'X-User': 'ada' };
const request = { messages: [{ role: 'user' as const, content: 'hi' }] };

const ADAPTERS = [
  llamaServerAdapter() as Adapter,
  openAIChatAdapter() as Adapter,
  openAIResponsesAdapter() as Adapter,
  anthropicMessagesAdapter() as Adapter,
  azureOpenAIAdapter() as Adapter,
];

const OPERATIONS: Record<
  string,
  (adapter: Adapter, endpoint: EndpointSpec, options: InferOptions) => unknown
> = {
  streamInfer: (adapter, endpoint, options) =>
    collect(adapter.streamInfer(endpoint, request, options), { throwOnError: false }),
  health: (adapter, endpoint, options) => adapter.health(endpoint, options),
  embed: (adapter, endpoint, options) => adapter.embed?.(endpoint, { input: 'one' }, options),
  countTokens: (adapter, endpoint, options) => adapter.countTokens?.(endpoint, request, options),
  listModels: (adapter, endpoint, options) => adapter.listModels?.(endpoint, options),
};

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(...scripts: Script[]): Promise<EndpointSpec> {
  server = await scriptedServer(...scripts);
  return { name: 'here', backendKind: 'any', baseUrl: server.url, model: 'm', apiKey: 'sk-of-the-endpoint' };
}

const refusal = (status: number, message = 'no') => json(status, { error: { message } });

describe.each(ADAPTERS)('headers of a call, sent by $kind', adapter => {
  it.each(Object.keys(OPERATIONS).filter(name => name in adapter))('go along with %s', async name => {
    const endpoint = await serve(refusal(400));
    await Promise.resolve(OPERATIONS[name]?.(adapter, endpoint, { headers })).catch(() => {});
    expect(server?.seen.length).toBeGreaterThan(0);
    for (const seen of server?.seen ?? []) {
      expect(seen.headers).toMatchObject({ traceparent, 'x-user': 'ada' });
    }
  });

  it('never stand in an error that quotes them', async () => {
    const secret = 'Bearer tok-3141592653589793';
    const endpoint = await serve(refusal(401, `bad token: ${secret}`));
    delete endpoint.apiKey;
    const options = { headers: { Authorization: secret } };
    const { error } = await collect(adapter.streamInfer(endpoint, request, options), { throwOnError: false });
    expect(server?.seen[0]?.headers.authorization).toBe(secret);
    expect(error).toMatchObject({ category: 'auth' });
    expect(JSON.stringify([error, error?.message])).not.toContain('3141592653589793');
  });
});

describe('headers of a call', () => {
  it('take the place of the endpoint’s, in whatever case these are written', async () => {
    const endpoint = await serve(refusal(400));
    endpoint.headers = { 'X-Title': 'all calls', 'x-user': 'nobody' };
    await collect(openAIChatAdapter().streamInfer(endpoint, request, { headers }), { throwOnError: false });
    expect(server?.seen[0]?.headers).toMatchObject({ 'x-title': 'all calls', 'x-user': 'ada' });
    expect(endpoint.headers).toEqual({ 'X-Title': 'all calls', 'x-user': 'nobody' });
  });

  it('take the place of the adapter’s own', async () => {
    const endpoint = await serve(refusal(400));
    const options = { headers: { Authorization: 'Bearer of-this-call' } };
    await collect(openAIChatAdapter().streamInfer(endpoint, request, options), { throwOnError: false });
    expect(server?.seen[0]?.headers.authorization).toBe('Bearer of-this-call');
  });

  it('go along with every retry', async () => {
    const endpoint = await serve(refusal(503));
    const adapter = withRetry(openAIChatAdapter() as Adapter, { maxRetries: 2, baseDelayMs: 1 });
    await collect(adapter.streamInfer(endpoint, request, { headers }), { throwOnError: false });
    await adapter.embed?.(endpoint, { input: 'one' }, { headers }).catch(() => {});
    expect(server?.seen.map(seen => seen.headers['traceparent'])).toEqual(Array(6).fill(traceparent));
  });

  it('are there for an adapter from outside to send', async () => {
    const fake = fakeAdapter('hello');
    const endpoint = { name: 'test', backendKind: 'fake', baseUrl: 'http://127.0.0.1:1' };
    await collect(fake.streamInfer(endpoint, request, { headers }));
    expect(fake.calls[0]?.endpoint.headers).toEqual({ traceparent, 'x-user': 'ada' });
  });

  it('that are no text are an error event that says so', async () => {
    const endpoint = await serve(refusal(400));
    const options = { headers: { 'x-user': 7 } } as unknown as InferOptions;
    const stream = openAIChatAdapter().streamInfer(endpoint, request, options);
    const { error } = await collect(stream, { throwOnError: false });
    expect(error).toMatchObject({ category: 'invalid_request' });
    expect(error?.message).toContain('headers of the call');
    expect(server?.seen).toEqual([]);
  });
});
