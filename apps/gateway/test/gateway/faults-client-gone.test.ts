// Clients that leave before the end: the upstream stops at once, nothing is tried again, and what was used is booked.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { SeenRequest } from '../../../../test/scripted-server.ts';
import { open } from '../faults/client.ts';
import { billed, type FaultyGateway, gatewayOver, metric, newestRecord } from '../faults/gateway.ts';
import { callsOf, cardsOf, gatewayOnNodes, node, waitingIn } from '../faults/nodes.ts';
import { CHAT, MODES } from '../faults/protocols.ts';
import { hello, silent, stalls, status } from '../faults/upstream.ts';

/** The promise is 250 ms; a busy machine gets some more. */
const SOON_MS = 1_000;

/** Longer than the first wait before another try. */
const RETRIES_MS = 400;

async function expectStopped(seen: SeenRequest | undefined): Promise<void> {
  await vi.waitFor(() => expect(seen?.closedEarly).toBe(true), { timeout: SOON_MS, interval: 5 });
}

async function expectBooked(gateway: FaultyGateway) {
  const record = await newestRecord(gateway);
  expect(record).toMatchObject({ state: 'stopped', status: 499 });
  expect(await metric(gateway, 'gateway_requests_total', 'outcome="stopped"')).toBe(1);
  expect(await metric(gateway, 'gateway_errors_total')).toBe(0);
  return billed(gateway, record);
}

const PATIENT = { timeout: 5_000, interval: 5 };

/** Resolves when the upstream has that many requests. */
async function expectAsked(
  gateway: FaultyGateway,
  index: number,
  count = 1,
): Promise<SeenRequest | undefined> {
  await vi.waitFor(() => expect(gateway.upstreams[index]?.seen.length).toBe(count), PATIENT);
  return gateway.upstreams[index]?.seen.at(-1);
}

describe('a client that leaves', () => {
  it.each(MODES)('before any answer stops the upstream, in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[silent], [hello]], { maxRetries: 3 });
    const { leave } = open(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    const seen = await expectAsked(gateway, 0);
    leave();
    await expectStopped(seen);
    await sleep(RETRIES_MS);
    expect(gateway.upstreams.map(({ seen }) => seen.length)).toEqual([1, 0]);
    expect(await expectBooked(gateway)).toEqual({ prompt: 0, completion: 0, usd: 0 });
  });

  it.each(MODES)('during the answer stops the upstream, in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[stalls], [hello]], { maxRetries: 3, midStream: 'continue' });
    const { begun, leave } = open(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    const seen = await expectAsked(gateway, 0);
    if (stream) await begun;
    else await sleep(100);
    leave();
    await expectStopped(seen);
    await sleep(RETRIES_MS);
    expect(gateway.upstreams.map(({ seen }) => seen.length)).toEqual([1, 0]);
    const { prompt, completion } = await expectBooked(gateway);
    expect(prompt).toBeGreaterThan(0);
    expect(completion).toBe(1);
  });

  it('while the gateway waits to try again is the end of the tries', async () => {
    const busy = status(503, { 'retry-after-ms': '300' });
    const gateway = await gatewayOver([[busy, hello], [hello]], { maxRetries: 3 });
    const { leave } = open(gateway.url, { path: CHAT.path, body: CHAT.ask(true) });
    await expectAsked(gateway, 0);
    await sleep(50);
    leave();
    const record = await newestRecord(gateway);
    expect(record.latencyMs).toBeLessThan(300);
    await sleep(RETRIES_MS);
    expect(gateway.upstreams.map(({ seen }) => seen.length)).toEqual([1, 0]);
    await expectBooked(gateway);
  });

  it('while a second provider is asked stops that one, and no third is', async () => {
    const gateway = await gatewayOver([[status(500)], [silent], [hello]]);
    const { leave } = open(gateway.url, { path: CHAT.path, body: CHAT.ask(false) });
    const seen = await expectAsked(gateway, 1);
    leave();
    await expectStopped(seen);
    await expectBooked(gateway);
    expect(gateway.upstreams[2]?.seen.length).toBe(0);
  });
});

describe('a slot of a node', () => {
  it.each(MODES)('is free again when a client leaves in $mode', async ({ protocol, stream }) => {
    const upstream = await node(stalls, hello);
    const gateway = await gatewayOnNodes([upstream]);
    const { leave } = open(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    await vi.waitFor(() => expect(callsOf(upstream).length).toBe(1), PATIENT);
    expect(cardsOf(gateway)).toMatchObject([{ inFlight: 1, busySlots: 1 }]);
    leave();
    await expectStopped(callsOf(upstream)[0]);
    await vi.waitFor(() => expect(cardsOf(gateway)).toMatchObject([{ inFlight: 0, busySlots: 0 }]));
    await expectBooked(gateway);
    const next = await open(gateway.url, { path: protocol.path, body: protocol.ask(stream) }).answer;
    expect(next.status).toBe(200);
  });

  it.each(MODES)('is not waited for by a client that left, in $mode', async ({ protocol, stream }) => {
    const upstream = await node(stalls, hello);
    const gateway = await gatewayOnNodes([upstream]);
    const holder = open(gateway.url, { path: CHAT.path, body: CHAT.ask(true) });
    await vi.waitFor(() => expect(callsOf(upstream).length).toBe(1), PATIENT);
    const waiter = open(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    await vi.waitFor(() => expect(waitingIn(gateway)).toBe(1));
    waiter.leave();
    await vi.waitFor(() => expect(waitingIn(gateway)).toBe(0), { timeout: SOON_MS });
    expect(await newestRecord(gateway)).toMatchObject({ state: 'stopped', status: 499, costUsd: 0 });
    const next = open(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    await vi.waitFor(() => expect(waitingIn(gateway)).toBe(1));
    holder.leave();
    expect((await next.answer).status).toBe(200);
    expect(callsOf(upstream).length).toBe(2);
  });
});
