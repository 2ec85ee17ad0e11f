// The response cache: what it answers costs nothing and says so, and faults of one call are not another's success.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { call, open } from '../faults/client.ts';
import { billed, gatewayOver, metric, newestRecord, recordOf } from '../faults/gateway.ts';
import { CHAT, MODES, read } from '../faults/protocols.ts';
import { IN_BUFFERS, pouring, slowClient } from '../faults/slow-client.ts';
import { hello, stalls } from '../faults/upstream.ts';

const PATIENT = { timeout: 5_000, interval: 5 };

describe('the cache', () => {
  const more = { cache: { ttl: 60 } };

  it.each(MODES)('answers again for nothing, and says so, in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[hello]], { more });
    const ask = { path: protocol.path, body: protocol.ask(stream) };
    const made = await call(gateway.url, ask);
    const again = await call(gateway.url, ask);
    for (const answer of [made, again]) {
      expect(read(protocol, answer, stream)).toMatchObject({ outcome: 'whole', text: 'Hello world' });
    }
    expect(made.headers).toMatchObject({ 'x-gateway-cache': 'miss', 'x-gateway-attempts': '1' });
    expect(again.headers).toMatchObject({ 'x-gateway-cache': 'hit', 'x-gateway-attempts': '0' });
    expect(gateway.upstreams[0]?.seen.length).toBe(1);
    const [paid, free] = await Promise.all(
      [made, again].map(({ headers }) => recordOf(gateway, headers['x-request-id'])),
    );
    expect(paid).toMatchObject({ cache: 'miss', costUsd: 0.016 });
    expect(free).toMatchObject({ cache: 'hit', costUsd: 0, state: 'succeeded', attempts: [] });
    if (paid && free) expect(await billed(gateway, paid, free)).toMatchObject({ prompt: 12, completion: 2 });
  });

  it.each(MODES)('is shared by identical calls at once, one of which may leave, in $mode', async mode => {
    const { protocol, stream } = mode;
    let release = () => {};
    const gate = new Promise<void>(resolve => {
      release = resolve;
    });
    const gateway = await gatewayOver(
      [[async (response, seen) => void (await gate.then(() => hello(response, seen)))]],
      { more },
    );
    const ask = { path: protocol.path, body: protocol.ask(stream) };
    const first = open(gateway.url, ask);
    await vi.waitFor(() => expect(gateway.upstreams[0]?.seen.length).toBe(1), PATIENT);
    const [stays, leaves] = [open(gateway.url, ask), open(gateway.url, ask)];
    await vi.waitFor(
      async () => expect(await metric(gateway, 'gateway_requests_in_flight')).toBe(3),
      PATIENT,
    );
    leaves.leave();
    await vi.waitFor(
      async () => expect(await metric(gateway, 'gateway_requests_in_flight')).toBe(2),
      PATIENT,
    );
    release();
    const answers = await Promise.all([first.answer, stays.answer]);
    for (const answer of answers) expect(read(protocol, answer, stream).outcome).toBe('whole');
    expect(answers.map(({ headers }) => headers['x-gateway-cache'])).toEqual(['miss', 'shared']);
    expect(answers.map(({ headers }) => headers['x-gateway-attempts'])).toEqual(['1', '0']);
    expect(gateway.upstreams[0]?.seen.length).toBe(1);
    const records = await Promise.all(
      answers.map(({ headers }) => recordOf(gateway, headers['x-request-id'])),
    );
    expect(await billed(gateway, ...records)).toMatchObject({ prompt: 12, completion: 2, usd: 0.016 });
  });

  it.each(MODES)(
    'takes nobody in when the one who asked first leaves in the middle, in $mode',
    async mode => {
      const { protocol, stream } = mode;
      const gateway = await gatewayOver([[stalls, hello]], { more });
      const ask = { path: protocol.path, body: protocol.ask(stream) };
      const first = open(gateway.url, ask);
      await vi.waitFor(() => expect(gateway.upstreams[0]?.seen.length).toBe(1), PATIENT);
      const second = open(gateway.url, ask);
      await vi.waitFor(
        async () => expect(await metric(gateway, 'gateway_requests_in_flight')).toBe(2),
        PATIENT,
      );
      if (stream) await second.response;
      first.leave();
      const answer = await second.answer;
      const told = read(protocol, answer, stream);
      // A stream that has begun cannot begin anew.
      expect(told).toMatchObject(stream ? { outcome: 'error' } : { outcome: 'whole', text: 'Hello world' });
      const record = await recordOf(gateway, answer.headers['x-request-id']);
      expect(record.state).toBe(stream ? 'failed' : 'succeeded');
    },
  );

  it('does not hold an answer that nobody reads', async () => {
    const { script, poured } = pouring();
    const gateway = await gatewayOver([[script]], { more });
    const client = await slowClient(gateway.url, { path: CHAT.path, body: CHAT.ask(true) });
    await vi.waitFor(() => expect(poured.waits).toBeGreaterThan(0), PATIENT);
    await sleep(1_500);
    expect(poured.bytes).toBeLessThan(IN_BUFFERS);
    client.socket.destroy();
    await vi.waitFor(() => expect(gateway.upstreams[0]?.seen[0]?.closedEarly).toBe(true), PATIENT);
    expect(await newestRecord(gateway)).toMatchObject({ state: 'stopped', status: 499 });
  });

  it('lets nobody wait for a slow one who asked first', async () => {
    const { script, poured } = pouring(20 * 1024 * 1024);
    const gateway = await gatewayOver([[script]], { more });
    const ask = { path: CHAT.path, body: CHAT.ask(true) };
    const slow = await slowClient(gateway.url, ask);
    await vi.waitFor(() => expect(poured.waits).toBeGreaterThan(0), PATIENT);
    const answer = await call(gateway.url, ask);
    const told = read(CHAT, answer, true);
    expect([told.outcome, told.text.length]).toEqual(['whole', 20 * 1024 * 1024]);
    expect(answer.headers['x-gateway-cache']).toBe('shared');
    expect(gateway.upstreams[0]?.seen.length).toBe(1);
    slow.socket.destroy();
  });

  it('keeps no answer that broke off', async () => {
    const gateway = await gatewayOver([[stalls, hello]], { timeout: 0.2, more });
    const ask = { path: CHAT.path, body: CHAT.ask(true) };
    expect(read(CHAT, await call(gateway.url, ask), true).outcome).toBe('error');
    const again = await call(gateway.url, ask);
    expect(read(CHAT, again, true)).toMatchObject({ outcome: 'whole', text: 'Hello world' });
    expect(gateway.upstreams[0]?.seen.length).toBe(2);
  });
});
