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
