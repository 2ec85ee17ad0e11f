// Clients that leave in ways of their own, and upstreams that do not care.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { open, rawPost, rawSocket } from '../faults/client.ts';
import { billed, gatewayOver, metric, newestRecord } from '../faults/gateway.ts';
import { CHAT, MODES } from '../faults/protocols.ts';
import { hello, stalls, upstream } from '../faults/upstream.ts';

const PATIENT = { timeout: 5_000, interval: 5 };

/** Says `Hello` again and again, whatever its client does: it neither reads on nor closes. */
async function deafUpstream(): Promise<{ url: string; requests(): number }> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', async () => {
      requests++;
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n');
      for (; sockets.has(socket); await sleep(10)) {
        const choice = { index: 0, delta: { content: 'Hello' }, text: 'Hello', finish_reason: null };
        socket.write(`data: ${JSON.stringify({ id: 'x', model: 'up-model', choices: [choice] })}\n\n`);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => requests };
}

describe('an upstream that goes on when its client has left', () => {
  it.each(MODES)('keeps nothing of the gateway, in $mode', async ({ protocol, stream }) => {
    const upstream = await deafUpstream();
    const gateway = await gatewayOver([upstream.url], { maxRetries: 2 });
    const { leave } = open(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    await vi.waitFor(() => expect(upstream.requests()).toBe(1), PATIENT);
    await sleep(50);
    leave();
    const record = await newestRecord(gateway);
    expect(record).toMatchObject({ state: 'stopped', status: 499 });
    expect((await billed(gateway, record)).completion).toBeGreaterThan(0);
    await sleep(300);
    expect(upstream.requests()).toBe(1);
  });
});

describe('a client that only closes its side of the connection', () => {
  it('has left', async () => {
    const gateway = await gatewayOver([[stalls]]);
    const { socket, text } = await rawSocket(gateway.url);
    socket.write(rawPost(CHAT.path, CHAT.ask(true)));
    await vi.waitFor(() => expect(text()).toContain('Hello'), PATIENT);
    socket.end();
    await vi.waitFor(() => expect(gateway.upstreams[0]?.seen[0]?.closedEarly).toBe(true), PATIENT);
    expect(await newestRecord(gateway)).toMatchObject({ state: 'stopped' });
  });
});

describe('a client that sends a second call without waiting for the first', () => {
  it.each(MODES)('gets both answers, one after the other, in $mode', async ({ protocol, stream }) => {
    const slowly = upstream(async up => {
      (await up.said('Slow')).finish().usage(12, 2).done();
    });
    const gateway = await gatewayOver([[slowly, hello]]);
    const { socket, text } = await rawSocket(gateway.url);
    const post = rawPost(protocol.path, protocol.ask(stream));
    socket.write(post + post);
    await vi.waitFor(() => expect(text().match(/HTTP\/1\.1 200/g)).toHaveLength(2), PATIENT);
    await vi.waitFor(
      () => expect(text()).toMatch(/Slow.*HTTP\/1\.1 200.* world.*(\}|\r\n0\r\n\r\n)$/s),
      PATIENT,
    );
  });

  it.each(MODES)('and leaves is asked nothing more for, in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[stalls, stalls]]);
    const { socket } = await rawSocket(gateway.url);
    const post = rawPost(protocol.path, protocol.ask(stream));
    socket.write(post.repeat(20));
    await vi.waitFor(() => expect(gateway.upstreams[0]?.seen.length).toBe(1), PATIENT);
    socket.destroy();
    await vi.waitFor(() => expect(gateway.upstreams[0]?.seen[0]?.closedEarly).toBe(true), PATIENT);
    await vi.waitFor(async () => expect(await metric(gateway, 'gateway_requests_in_flight')).toBe(0));
    expect(await metric(gateway, 'gateway_requests_total')).toBe(1);
    expect(gateway.upstreams[0]?.seen.length).toBe(1);
  });

  it('is told of a first answer that broke off, and has to send the second call again', async () => {
    const breaks = upstream(async up => (await up.said('Hello')).eof());
    const gateway = await gatewayOver([[breaks, hello]]);
    const { socket, text } = await rawSocket(gateway.url);
    const post = rawPost(CHAT.path, CHAT.ask(true));
    socket.write(post + post);
    await once(socket, 'close');
    expect(text()).toContain('"category":"connection"');
    expect(gateway.upstreams[0]?.seen.length).toBe(1);
  });
});
