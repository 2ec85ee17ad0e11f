import { describe, expect, it } from 'vitest';
import { type Adapter, type Capabilities, defineAdapter } from './adapter.ts';
import { AirframeClient } from './client.ts';
import { CollectError, collect } from './collect.ts';
import type { EndpointSpec } from './endpoint.ts';
import { AirframeError } from './errors.ts';
import { HttpHealthProbe } from './health/http-health-probe.ts';
import { StaticRegistry } from './registry/static-registry.ts';

const endpoint: EndpointSpec = { name: 'here', backendKind: 'echo', baseUrl: 'http://127.0.0.1:1' };

function echo(kind = 'echo'): Adapter {
  return defineAdapter({
    kind,
    capabilities: {} as Capabilities,
    health: async () => 'healthy',
    async *infer({ request }, reply) {
      reply.text(request.prompt ?? '');
      yield;
      if (request.prompt === 'break') throw new AirframeError('backend', 'broke');
      reply.finish('stop');
    },
  });
}

describe('AirframeClient', () => {
  it('chooses the adapter by the endpoint’s kind', async () => {
    const client = new AirframeClient({ adapters: [echo('other'), echo()] });
    expect(await client.infer(endpoint, { prompt: 'hi' })).toMatchObject({
      text: 'hi',
      finishReason: 'stop',
    });
    expect(await client.health(endpoint)).toMatchObject({ state: 'healthy' });
    await client.close();
  });

  it('keeps the stream contract for a kind it has no adapter for, and names those it has', async () => {
    const client = new AirframeClient({ adapters: [echo('other')] });
    const types = [];
    for await (const event of client.streamInfer(endpoint, { prompt: 'hi' })) types.push(event.type);
    expect(types).toEqual(['error', 'done']);
    await expect(client.infer(endpoint, { prompt: 'hi' })).rejects.toThrow(/"echo".*it has: other/);
    expect(await client.health(endpoint)).toMatchObject({ state: 'unhealthy' });
  });

  const request = { prompt: 'hi' };

  it('sends embed, countTokens and listModels to the adapter as well', async () => {
    const usage = { promptTokens: 1, completionTokens: 0, totalTokens: 1, source: 'reported' as const };
    const able = defineAdapter({
      kind: 'echo',
      capabilities: {} as Capabilities,
      infer: () => expect.unreachable(),
      embed: async ({ request }) => ({ embeddings: [[String(request.input).length]], usage }),
      countTokens: async ({ request }) => ({ tokens: request.prompt?.length ?? 0, exact: true }),
      listModels: async ({ name }) => [{ id: `model of ${name}` }],
    });
    const client = new AirframeClient({ adapters: [echo('other'), able] });
    expect(await client.embed(endpoint, { input: 'four' })).toEqual({ embeddings: [[4]], usage });
    expect(await client.countTokens(endpoint, request)).toEqual({ tokens: 2, exact: true });
    expect(await client.listModels(endpoint)).toEqual([{ id: 'model of here' }]);
  });

  it.each(['embed', 'countTokens', 'listModels'] as const)(
    'says so where the adapter has no %s, and where there is no adapter',
    async operation => {
      const call = (client: AirframeClient) =>
        ({
          embed: () => client.embed(endpoint, { input: 'four' }),
          countTokens: () => client.countTokens(endpoint, request),
          listModels: () => client.listModels(endpoint),
        })[operation]();
      await expect(call(new AirframeClient({ adapters: [echo()] }))).rejects.toMatchObject({
        category: 'invalid_request',
        code: 'unsupported',
        message: expect.stringMatching(new RegExp(`echo of endpoint here has no ${operation}; look at cap`)),
      });
      await expect(call(new AirframeClient({ adapters: [] }))).rejects.toMatchObject({
        code: 'configuration',
        message: expect.stringContaining('it has: none'),
      });
    },
  );
});

describe('collect', () => {
  it('throws the error of a failed stream together with what came before it', async () => {
    const failure = await collect(echo().streamInfer(endpoint, { prompt: 'break' })).catch(error => error);
    expect(failure).toBeInstanceOf(CollectError);
    expect(failure).toMatchObject({ category: 'backend', result: { text: 'break', finishReason: 'error' } });
    expect(failure.result).not.toHaveProperty('message');
  });

  it('gives it back instead when asked to', async () => {
    const stream = echo().streamInfer(endpoint, { prompt: 'break' });
    expect(await collect(stream, { throwOnError: false })).toMatchObject({ error: { category: 'backend' } });
  });

  it('says so when a stream was read to its end before', async () => {
    const stream = echo().streamInfer(endpoint, { prompt: 'hi' });
    await collect(stream);
    await expect(collect(stream)).rejects.toThrow('without a done event');
  });
});

describe('StaticRegistry', () => {
  it('lists and finds its endpoints', () => {
    const registry = new StaticRegistry([endpoint]);
    expect(registry.list()).toEqual([endpoint]);
    expect(registry.get('here')).toEqual(endpoint);
    expect(() => registry.get('there')).toThrow('no endpoint is named "there"; known: here');
  });

  it.each([
    [[endpoint, endpoint], /two endpoints are named "here"/],
    [[{ ...endpoint, baseUrl: 'ftp://x' }], /invalid endpoint "here": baseUrl: not an http.*got "ftp/],
    [[{ ...endpoint, backendKind: 'Not A Kind' }], /backendKind: a backend kind is lower-case words/],
    [[{ ...endpoint, timeouts: { totalMs: -1 } }], /timeouts\.totalMs: .*got -1/],
  ])('refuses a bad list %#', (endpoints, message) => {
    expect(() => new StaticRegistry(endpoints)).toThrow(message);
  });
});

describe('HttpHealthProbe', () => {
  it('remembers what it saw last, and knows nothing before', async () => {
    const probe = new HttpHealthProbe({ adapters: [echo()] });
    expect(probe.last(endpoint)).toMatchObject({ state: 'unknown' });
    await probe.check(endpoint);
    expect(probe.last(endpoint)).toMatchObject({ state: 'healthy', latencyMs: expect.any(Number) });
  });

  it('gives up on a backend that does not answer', async () => {
    const silent = {
      kind: 'echo',
      health: defineAdapter({
        kind: 'echo',
        capabilities: {} as Capabilities,
        infer: () => expect.unreachable(),
        health: (_endpoint, { signal }) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      }).health,
    };
    const report = await new HttpHealthProbe({ adapters: [silent], timeoutMs: 20 }).check(endpoint);
    expect(report).toMatchObject({ state: 'unhealthy', reason: expect.stringContaining('within 20 ms') });
  });
});
