import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { type ScriptedServer, scriptedServer } from '../../../../test/scripted-server.ts';
import type { Adapter, InferOptions } from '../adapter.ts';
import type { EndpointSpec } from '../endpoint.ts';
import { anthropicMessagesAdapter } from './anthropic-messages/index.ts';
import { azureOpenAIAdapter } from './azure-openai/index.ts';
import { llamaServerAdapter } from './llama-server/index.ts';
import { openAIChatAdapter } from './openai-chat/index.ts';
import { openAIResponsesAdapter } from './openai-responses/index.ts';

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** An endpoint at a server that takes the call and never answers. */
async function silent(kind: string): Promise<EndpointSpec> {
  server = await scriptedServer(() => {});
  return { name: 'silent', backendKind: kind, baseUrl: server.url, model: 'm', apiKey: 'k' };
}

const CALLS = {
  embed: (adapter: Adapter, endpoint: EndpointSpec, options?: InferOptions) =>
    adapter.embed?.(endpoint, { input: 'one' }, options),
  countTokens: (adapter: Adapter, endpoint: EndpointSpec, options?: InferOptions) =>
    adapter.countTokens?.(endpoint, { messages: [{ role: 'user', content: 'hi' }] }, options),
  listModels: (adapter: Adapter, endpoint: EndpointSpec, options?: InferOptions) =>
    adapter.listModels?.(endpoint, options),
} as const;

type Operation = keyof typeof CALLS;

const ADAPTERS: [make: () => Adapter, has: Operation[]][] = [
  [() => llamaServerAdapter() as Adapter, ['embed', 'countTokens', 'listModels']],
  [() => openAIChatAdapter() as Adapter, ['embed', 'listModels']],
  [() => openAIResponsesAdapter() as Adapter, ['embed', 'countTokens', 'listModels']],
  [() => anthropicMessagesAdapter() as Adapter, ['countTokens', 'listModels']],
  [() => azureOpenAIAdapter() as Adapter, ['embed', 'listModels']],
];

describe('what an adapter can do beyond chat', () => {
  it.each(ADAPTERS.map(([make, has]) => [make(), has] as const))(
    'is in its manifest and among its methods: $kind',
    (adapter, has) => {
      for (const operation of Object.keys(CALLS) as Operation[]) {
        expect(adapter.capabilities[operation]).toBe(has.includes(operation));
        expect(operation in adapter).toBe(has.includes(operation));
      }
    },
  );
});

const PAIRS = ADAPTERS.flatMap(([make, has]) =>
  has.map(operation => ({ kind: make().kind, make, operation })),
);

describe.each(PAIRS)('$operation of $kind at a backend that does not answer', ({ kind, make, operation }) => {
  it('ends with the deadline', async () => {
    const endpoint = await silent(kind);
    await expect(CALLS[operation](make(), endpoint, { timeouts: { headersMs: 30 } })).rejects.toMatchObject({
      category: 'timeout',
      code: 'headers_timeout',
      attempts: [{ endpoint: 'silent', outcome: 'timeout' }],
    });
    await expect.poll(() => server?.sockets.size).toBe(0);
  });

  it('ends when the caller aborts, and leaves no listener', async () => {
    const endpoint = await silent(kind);
    const controller = new AbortController();
    const { signal } = controller;
    const ending = CALLS[operation](make(), endpoint, { signal })?.catch(error => error);
    await expect.poll(() => server?.seen.length).toBe(1);
    controller.abort();
    expect(await ending).toMatchObject({ category: 'aborted', retryable: false });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await expect.poll(() => server?.sockets.size).toBe(0);
  });

  it('ends when the adapter is closed, and none begins after that', async () => {
    const endpoint = await silent(kind);
    const adapter = make();
    const ending = CALLS[operation](adapter, endpoint)?.catch(error => error);
    await expect.poll(() => server?.seen.length).toBe(1);
    await adapter.close();
    const closed = { category: 'aborted', message: expect.stringContaining('the adapter is closed') };
    expect(await ending).toMatchObject(closed);
    await expect(CALLS[operation](adapter, endpoint)).rejects.toMatchObject(closed);
    expect(server?.seen).toHaveLength(1);
  });
});
