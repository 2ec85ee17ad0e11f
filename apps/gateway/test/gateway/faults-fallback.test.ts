// Several providers: who is asked when others fail, what the client is told of it, and when there is no time left.
import { describe, expect, it } from 'vitest';
import { call, closedUrl } from '../faults/client.ts';
import { billed, gatewayOver, recordOf } from '../faults/gateway.ts';
import { callsOf, cardsOf, gatewayOnNodes, node } from '../faults/nodes.ts';
import { CHAT, MODES, read } from '../faults/protocols.ts';
import { hello, silent, stalls, status, upstream } from '../faults/upstream.ts';

describe('two providers that fail', () => {
  it.each(MODES)('are followed by a third one that answers, in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([await closedUrl(), [status(500)], [hello]]);
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    expect(read(protocol, answer, stream)).toMatchObject({
      outcome: 'whole',
      text: 'Hello world',
      usage: [12, 2],
    });
    expect(answer.headers).toMatchObject({ 'x-gateway-provider': 'up2', 'x-gateway-attempts': '3' });
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record).toMatchObject({ state: 'succeeded', status: 200, provider: 'up2' });
    expect(record.attempts).toMatchObject([
      { provider: 'up0', outcome: 'connection' },
      { provider: 'up1', outcome: 'backend', status: 500 },
      { provider: 'up2', outcome: 'ok' },
    ]);
    expect(await billed(gateway, record)).toEqual({ prompt: 12, completion: 2, usd: 0.016 });
    expect(gateway.upstreams.map(({ seen }) => seen.length)).toEqual([1, 1]);
  });
});

describe('providers that all fail', () => {
  it.each(MODES)(
    'are one honest error that says when to come back, in $mode',
    async ({ protocol, stream }) => {
      const limited = status(429, { 'retry-after': '11' });
      const gateway = await gatewayOver([[status(401)], [limited], await closedUrl()]);
      const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
      expect(read(protocol, answer, stream).outcome).toBe('error');
      expect(answer.status).toBe(429);
      expect(answer.headers).toMatchObject({
        'retry-after': '11',
        'x-should-retry': 'true',
        'x-gateway-attempts': '3',
      });
      const record = await recordOf(gateway, answer.headers['x-request-id']);
      expect(record).toMatchObject({ state: 'failed', status: 429 });
      expect(record.attempts.map(({ outcome }) => outcome)).toEqual(['auth', 'rate_limit', 'connection']);
      expect(await billed(gateway, record)).toEqual({ prompt: 0, completion: 0, usd: 0 });
      expect(gateway.upstreams.map(({ seen }) => seen.length)).toEqual([1, 1]);
    },
  );
});

describe('a node that fails', () => {
  it.each(MODES)('is followed by another one that answers, in $mode', async ({ protocol, stream }) => {
    const nodes = [await node(upstream(up => up.reset())), await node(hello)];
    const gateway = await gatewayOnNodes(nodes, { maxRetries: 1 });
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    expect(read(protocol, answer, stream)).toMatchObject({ outcome: 'whole', text: 'Hello world' });
    expect(answer.headers['x-gateway-node']).toBe('n1');
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    const calls = nodes.reduce((sum, upstream) => sum + callsOf(upstream).length, 0);
    expect(record.attempts.length).toBe(calls);
    // A stream's headers go out before the provider has told of its tries.
    if (!stream) expect(answer.headers['x-gateway-attempts']).toBe(String(calls));
    expect(record).toMatchObject({ state: 'succeeded', node: 'n1', costUsd: 0 });
    expect(await billed(gateway, record)).toEqual({ prompt: 12, completion: 2, usd: 0 });
    expect(cardsOf(gateway).map(({ inFlight }) => inFlight)).toEqual([0, 0]);
  });
});

describe('tries at one provider', () => {
  it('are told beside the one that went well, and paid for once', async () => {
    const gateway = await gatewayOver([[status(503, { 'retry-after-ms': '20' }), hello]], { maxRetries: 1 });
    const answer = await call(gateway.url, { path: CHAT.path, body: CHAT.ask(false) });
    expect(read(CHAT, answer, false)).toMatchObject({ outcome: 'whole', usage: [12, 2] });
    expect(answer.headers['x-gateway-attempts']).toBe('2');
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record.attempts.map(({ outcome }) => outcome)).toEqual(['overloaded', 'ok']);
    expect(await billed(gateway, record)).toMatchObject({ prompt: 12, completion: 2 });
  });

  it('are not made when the provider asks for a longer wait than there is time', async () => {
    const gateway = await gatewayOver([[status(503, { 'retry-after': '30' })], [hello]], { maxRetries: 3 });
    const headers = { 'x-gateway-timeout': '5' };
    const answer = await call(gateway.url, { path: CHAT.path, body: CHAT.ask(true), headers });
    expect(read(CHAT, answer, true).outcome).toBe('whole');
    expect(answer.headers['x-gateway-provider']).toBe('up1');
    expect(gateway.upstreams[0]?.seen.length).toBe(1);
  });
});

describe('x-gateway-timeout', () => {
  it.each(MODES)('holds for all providers together, in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[silent], [silent], [hello]], { timeout: 0.25 });
    const headers = { 'x-gateway-timeout': '0.4' };
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream), headers });
    expect(read(protocol, answer, stream).outcome).toBe('error');
    expect(answer.status).toBe(504);
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record.attempts.map(({ provider }) => provider)).toEqual(['up0', 'up1']);
    expect(record.latencyMs).toBeGreaterThan(350);
    expect(gateway.upstreams.map(({ seen }) => seen.length)).toEqual([1, 1, 0]);
    await expect.poll(() => gateway.upstreams[1]?.seen[0]?.closedEarly).toBe(true);
    expect(await billed(gateway, record)).toEqual({ prompt: 0, completion: 0, usd: 0 });
  });

  it.each(MODES)('ends an answer that has begun, in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[stalls], [hello]]);
    const headers = { 'x-gateway-timeout': '0.3' };
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream), headers });
    expect(read(protocol, answer, stream)).toMatchObject({ outcome: 'error', text: stream ? 'Hello' : '' });
    expect(answer.status).toBe(stream ? 200 : 504);
    await expect.poll(() => gateway.upstreams[0]?.seen[0]?.closedEarly).toBe(true);
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record.error?.category).toBe('timeout');
    expect((await billed(gateway, record)).completion).toBe(1);
    expect(gateway.upstreams[1]?.seen.length).toBe(0);
  });

  it.each(['soon', '-1', '0'])('is refused when it is %s', async seconds => {
    const gateway = await gatewayOver([[hello]]);
    const headers = { 'x-gateway-timeout': seconds };
    const answer = await call(gateway.url, { path: CHAT.path, body: CHAT.ask(true), headers });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('x-gateway-timeout');
    expect(gateway.upstreams[0]?.seen.length).toBe(0);
  });

  it.each(['0.0001', '1e-300', '0.0333', 'Infinity'])(
    'of %s seconds is an answer in time, or none',
    async seconds => {
      const gateway = await gatewayOver([[hello]]);
      const headers = { 'x-gateway-timeout': seconds };
      const answer = await call(gateway.url, { path: CHAT.path, body: CHAT.ask(true), headers });
      expect([200, 504]).toContain(answer.status);
    },
  );
});
