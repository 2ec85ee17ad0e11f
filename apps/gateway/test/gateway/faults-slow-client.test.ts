// Clients that read slowly or not at all: the upstream waits for them, memory stays bounded, and a deadline ends it.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { call } from '../faults/client.ts';
import { billed, gatewayOver, newestRecord } from '../faults/gateway.ts';
import { CHAT, MODES, read, SPOKEN } from '../faults/protocols.ts';
import { IN_BUFFERS, pouring, slowClient } from '../faults/slow-client.ts';

const MIB = 1024 * 1024;

const PATIENT = { timeout: 10_000, interval: 20 };

describe('a client that reads 1 KB now and then', () => {
  it.each(SPOKEN)('makes the upstream wait, and memory stays bounded, in $name', async protocol => {
    const { script, poured } = pouring();
    const gateway = await gatewayOver([[script]]);
    const before = process.memoryUsage();
    const client = await slowClient(gateway.url, { path: protocol.path, body: protocol.ask(true) });
    for (let n = 0; n < 20; n++) {
      client.more();
      await sleep(50);
    }
    const { heapUsed, rss } = process.memoryUsage();
    expect(client.bytes()).toBeGreaterThan(10 * 1_024);
    expect(poured.waits).toBeGreaterThan(0);
    expect(poured.bytes).toBeLessThan(IN_BUFFERS);
    expect(heapUsed - before.heapUsed).toBeLessThan(100 * MIB);
    expect(rss - before.rss).toBeLessThan(150 * MIB);
    const held = poured.bytes;
    await sleep(200);
    expect(poured.bytes).toBe(held);
    client.socket.destroy();
    await vi.waitFor(() => expect(gateway.upstreams[0]?.seen[0]?.closedEarly).toBe(true), PATIENT);
    const record = await newestRecord(gateway);
    expect(record).toMatchObject({ state: 'stopped', status: 499 });
    await billed(gateway, record);
  });
});

describe('the write deadline', () => {
  const server = { writeTimeout: 0.5 };

  it.each(SPOKEN)(
    'cuts off a client that does not read, and stops the upstream, in $name',
    async protocol => {
      const { script, poured } = pouring();
      const gateway = await gatewayOver([[script]], { server });
      const client = await slowClient(gateway.url, { path: protocol.path, body: protocol.ask(true) });
      await vi.waitFor(() => expect(gateway.upstreams[0]?.seen[0]?.closedEarly).toBe(true), PATIENT);
      expect(poured.bytes).toBeLessThan(IN_BUFFERS);
      const record = await newestRecord(gateway);
      expect(record).toMatchObject({ state: 'stopped', status: 499 });
      expect((await billed(gateway, record)).completion).toBeGreaterThan(0);
      client.socket.destroy();
    },
  );

  it('cuts off a client that does not read a whole answer', async () => {
    const { script } = pouring(24 * MIB);
    const gateway = await gatewayOver([[script]], { server });
    const client = await slowClient(gateway.url, {
      path: CHAT.path,
      body: CHAT.ask(false),
      bytesAtOnce: 1024 * 1024,
    });
    await newestRecord(gateway);
    await sleep(1_500);
    const closed = once(client.socket, 'close');
    const reading = setInterval(client.more, 1);
    await closed;
    clearInterval(reading);
    expect(client.bytes()).toBeLessThan(24 * MIB);
  });

  it.each(MODES)(
    'leaves a client alone that reads slowly but steadily, in $mode',
    async ({ protocol, stream }) => {
      const { script } = pouring(16 * MIB);
      const gateway = await gatewayOver([[script]], { server });
      const client = await slowClient(gateway.url, {
        path: protocol.path,
        body: protocol.ask(stream),
        bytesAtOnce: 256 * 1024,
      });
      for (let n = 0; n < 80; n++) {
        client.more();
        await sleep(20);
      }
      const reading = setInterval(client.more, 1);
      await vi.waitFor(() => expect(client.bytes()).toBeGreaterThan(16 * MIB), PATIENT);
      await vi.waitFor(() => expect(client.tail()).toMatch(stream ? /\r\n0\r\n\r\n$/ : /\}$/), PATIENT);
      clearInterval(reading);
      expect(await newestRecord(gateway)).toMatchObject({ state: 'succeeded', status: 200 });
      client.socket.destroy();
    },
  );
});

describe('an answer of 20 MB', () => {
  it('is whole to a client that reads it', async () => {
    const { script } = pouring(20 * MIB);
    const gateway = await gatewayOver([[script]]);
    const answer = await call(gateway.url, { path: CHAT.path, body: CHAT.ask(true) });
    const told = read(CHAT, answer, true);
    expect([told.outcome, told.text.length]).toEqual(['whole', 20 * MIB]);
  });
});
