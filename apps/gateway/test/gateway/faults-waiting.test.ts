// Clients that wait: comments keep their line alive, and what goes wrong behind them is told in the stream.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { call, open } from '../faults/client.ts';
import { billed, type FaultyGateway, gatewayOver, recordOf } from '../faults/gateway.ts';
import { callsOf, gatewayOnNodes, node, waitingIn } from '../faults/nodes.ts';
import { CHAT, MODES, read, SPOKEN } from '../faults/protocols.ts';
import { hello, silent, stalls, status, upstream } from '../faults/upstream.ts';

const server = { keepAlive: 0.15 };
const PATIENT = { timeout: 5_000, interval: 5 };

const commentsIn = (text: string) => text.split('\n').filter(line => line.startsWith(':')).length;

const later =
  (ms: number, answer: typeof hello): typeof hello =>
  async (response, seen) => {
    await sleep(ms);
    await answer(response, seen);
  };

describe('a stream whose upstream is slow to begin', () => {
  it.each(SPOKEN)('has comments, and then the whole answer, in $name', async protocol => {
    const gateway = await gatewayOver([[later(600, hello)]], { server });
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(true) });
    expect(read(protocol, answer, true)).toMatchObject({ outcome: 'whole', text: 'Hello world' });
    expect(commentsIn(answer.text)).toBeGreaterThanOrEqual(2);
    expect(answer.headers['x-request-id']).toBeDefined();
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(await billed(gateway, record)).toMatchObject({ prompt: 12, completion: 2 });
  });

  it.each(SPOKEN)('has its error in the stream once it has comments, in $name', async protocol => {
    const gateway = await gatewayOver([[later(400, status(429, { 'retry-after': '3' }))]], { server });
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(true) });
    expect(answer.status).toBe(200);
    expect(commentsIn(answer.text)).toBeGreaterThanOrEqual(1);
    expect(read(protocol, answer, true)).toMatchObject({ outcome: 'error', text: '' });
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record).toMatchObject({ state: 'failed', status: 200, error: { category: 'rate_limit' } });
    expect(await billed(gateway, record)).toEqual({ prompt: 0, completion: 0, usd: 0 });
  });

  it('goes on with the next provider behind its comments', async () => {
    const gateway = await gatewayOver([[later(400, status(500))], [hello]], { server });
    const answer = await call(gateway.url, { path: CHAT.path, body: CHAT.ask(true) });
    expect(read(CHAT, answer, true)).toMatchObject({ outcome: 'whole', text: 'Hello world' });
  });

  it('stops its upstream when the client goes while it has comments only', async () => {
    const gateway = await gatewayOver([[silent]], { server });
    const { response, leave } = open(gateway.url, { path: CHAT.path, body: CHAT.ask(true) });
    await response;
    leave();
    await vi.waitFor(() => expect(gateway.upstreams[0]?.seen[0]?.closedEarly).toBe(true), PATIENT);
  });
});

describe('an answer that pauses', () => {
  it.each(SPOKEN)('has comments in its pause, in $name', async protocol => {
    const pausing = upstream(async up => {
      up.say('Hello');
      await sleep(600);
      up.say(' world').finish().usage(12, 2).done();
    });
    const gateway = await gatewayOver([[pausing]], { server });
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(true) });
    expect(read(protocol, answer, true)).toMatchObject({ outcome: 'whole', text: 'Hello world' });
    const pause = answer.text.slice(answer.text.indexOf('Hello'), answer.text.indexOf(' world'));
    expect(commentsIn(pause)).toBeGreaterThanOrEqual(2);
  });

  it.each(SPOKEN)(
    'has comments while it brings what the client does not hear of, in $name',
    async protocol => {
      const thinking = upstream(async up => {
        up.think('Hm');
        await sleep(600);
        up.say('Hello').finish().usage(12, 2).done();
      });
      const gateway = await gatewayOver([[thinking]], { server });
      const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(true) });
      expect(read(protocol, answer, true)).toMatchObject({ outcome: 'whole', text: 'Hello' });
      expect(commentsIn(answer.text)).toBeGreaterThanOrEqual(2);
    },
  );

  it('that does not stream has nothing but itself', async () => {
    const gateway = await gatewayOver([[later(400, hello)]], { server });
    const answer = await call(gateway.url, { path: CHAT.path, body: CHAT.ask(false) });
    expect(answer.text).toMatch(/^\{/);
  });
});

describe('a call that waits for a slot', () => {
  async function withFullNode(options: { maxWait?: number; maxQueue?: number } = {}) {
    const busy = await node(stalls, hello);
    const gateway = await gatewayOnNodes([busy], { server, ...options });
    const holder = open(gateway.url, { path: CHAT.path, body: CHAT.ask(true) });
    onTestFinished(holder.leave);
    await vi.waitFor(() => expect(callsOf(busy).length).toBe(1), PATIENT);
    return { busy, gateway, holder };
  }

  const waits = async (gateway: FaultyGateway) =>
    vi.waitFor(() => expect(waitingIn(gateway)).toBe(1), PATIENT);

  it.each(SPOKEN)('has comments, and then its answer, in $name', async protocol => {
    const { gateway, holder } = await withFullNode();
    const waiter = open(gateway.url, { path: protocol.path, body: protocol.ask(true) });
    await waits(gateway);
    await sleep(500);
    holder.leave();
    const answer = await waiter.answer;
    expect(commentsIn(answer.text)).toBeGreaterThanOrEqual(2);
    expect(read(protocol, answer, true)).toMatchObject({ outcome: 'whole', text: 'Hello world' });
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record.queuedMs).toBeGreaterThan(300);
    expect(record.node).toBe('n0');
  });

  it.each(MODES)('is an honest error when none is free in time, in $mode', async ({ protocol, stream }) => {
    const { busy, gateway } = await withFullNode({ maxWait: 0.4 });
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    expect(read(protocol, answer, stream)).toMatchObject({ outcome: 'error', text: '' });
    expect(answer.status).toBe(stream ? 200 : protocol.name === 'messages' ? 529 : 503);
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record).toMatchObject({ state: 'failed', error: { category: 'overloaded' }, costUsd: 0 });
    expect(callsOf(busy).length).toBe(1);
    expect(waitingIn(gateway)).toBe(0);
  });

  it.each(MODES)('is within the time of the whole call, in $mode', async ({ protocol, stream }) => {
    const { busy, gateway } = await withFullNode();
    const headers = { 'x-gateway-timeout': '0.1' };
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream), headers });
    expect(read(protocol, answer, stream).outcome).toBe('error');
    expect([503, 504, 529]).toContain(answer.status);
    expect(callsOf(busy).length).toBe(1);
    expect(waitingIn(gateway)).toBe(0);
  });

  it.each(MODES)('is refused at once where too many wait, in $mode', async ({ protocol, stream }) => {
    const { gateway } = await withFullNode({ maxQueue: 1 });
    const waiter = open(gateway.url, { path: CHAT.path, body: CHAT.ask(true) });
    await waits(gateway);
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    expect(read(protocol, answer, stream).outcome).toBe('error');
    expect(answer.status).toBe(protocol.name === 'messages' ? 529 : 503);
    waiter.leave();
  });
});
