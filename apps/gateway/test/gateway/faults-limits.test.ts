// Limits of keys and of the gateway: who is kept back, how the client is told, and what is counted.
import { describe, expect, it, vi } from 'vitest';
import { hashOf } from '../../src/auth/keys.ts';
import { type Answer, call, open } from '../faults/client.ts';
import { type FaultyOptions, gatewayOver, metric, recordOf } from '../faults/gateway.ts';
import { CHAT, MODES, read, SPOKEN } from '../faults/protocols.ts';
import { hello, silent, stalls } from '../faults/upstream.ts';
import { ADMIN, KEY } from '../running-gateway.ts';

const OTHER = 'xg-test-key-of-another-client';
const PATIENT = { timeout: 5_000, interval: 5 };

const twoKeys = (limits: NonNullable<FaultyOptions['limits']>): FaultyOptions => ({
  more: {
    keys: [
      { name: 'client', hash: hashOf(KEY), ...limits },
      { name: 'other', hash: hashOf(OTHER), ...limits },
      { name: 'admin', hash: hashOf(ADMIN), admin: true },
    ],
  },
});

const remaining = ({ headers }: Answer, unit = 'requests') =>
  Number(headers[`x-ratelimit-remaining-${unit}`] ?? headers[`anthropic-ratelimit-${unit}-remaining`]);

/** A minute must not end between two calls that are to be in one. */
async function earlyInMinute(): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 5_000) await new Promise(resolve => setTimeout(resolve, left + 50));
}

describe('calls at once', () => {
  it.each(MODES)('of one key are limited, and others go on, in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[stalls, hello]], twoKeys({ maxConcurrent: 1 }));
    const ask = { path: protocol.path, body: protocol.ask(stream) };
    const holder = open(gateway.url, ask);
    await vi.waitFor(() => expect(gateway.upstreams[0]?.seen.length).toBe(1), PATIENT);
    const refused = await call(gateway.url, ask);
    expect(read(protocol, refused, stream).outcome).toBe('error');
    expect(refused.status).toBe(429);
    expect(refused.headers).toMatchObject({ 'retry-after': '1', 'x-should-retry': 'true' });
    expect((await call(gateway.url, { ...ask, key: OTHER })).status).toBe(200);
    holder.leave();
    await vi.waitFor(async () => expect((await call(gateway.url, ask)).status).toBe(200), PATIENT);
  });

  it.each(SPOKEN)('of all keys are limited, in $name', async protocol => {
    const gateway = await gatewayOver([[silent, hello]], { ...twoKeys({}), server: { maxConcurrent: 1 } });
    const ask = { path: protocol.path, body: protocol.ask(true) };
    const holder = open(gateway.url, ask);
    await vi.waitFor(() => expect(gateway.upstreams[0]?.seen.length).toBe(1), PATIENT);
    const refused = await call(gateway.url, { ...ask, key: OTHER });
    expect(refused.status).toBe(429);
    expect(read(protocol, refused, true).outcome).toBe('error');
    holder.leave();
    await vi.waitFor(async () => expect((await call(gateway.url, ask)).status).toBe(200), PATIENT);
    expect(await metric(gateway, 'gateway_refused_requests_total', 'too_many_requests')).toBeGreaterThan(0);
  });
});

describe('requests a minute', () => {
  it.each(SPOKEN)('count down in the headers, and are each key’s own, in $name', async protocol => {
    await earlyInMinute();
    const gateway = await gatewayOver([[hello]], twoKeys({ requestsPerMinute: 2 }));
    const ask = { path: protocol.path, body: protocol.ask(true) };
    expect(remaining(await call(gateway.url, ask))).toBe(1);
    expect(remaining(await call(gateway.url, { ...ask, body: protocol.ask(false) }))).toBe(0);
    const refused = await call(gateway.url, ask);
    expect(refused.status).toBe(429);
    expect(read(protocol, refused, true).outcome).toBe('error');
    expect(refused.headers['x-should-retry']).toBe('true');
    expect(remaining(refused, 'requests')).toBe(0);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(remaining(await call(gateway.url, { ...ask, key: OTHER }))).toBe(1);
    expect(gateway.upstreams[0]?.seen.length).toBe(3);
    const record = await recordOf(gateway, refused.headers['x-request-id']);
    expect(record).toMatchObject({ state: 'failed', status: 429, attempts: [], costUsd: 0 });
  });
});

describe('tokens a minute', () => {
  it('are what was really used, not what was held for a call', async () => {
    await earlyInMinute();
    const gateway = await gatewayOver([[hello]], { limits: { tokensPerMinute: 10_000 } });
    const ask = { path: CHAT.path, body: CHAT.ask(false) };
    const first = await call(gateway.url, ask);
    const second = await call(gateway.url, ask);
    expect(remaining(first, 'tokens') - remaining(second, 'tokens')).toBe(14);
  });
});

describe('a budget that is used up', () => {
  it.each(MODES)('refuses with the time until it is new, and says not to try, in $mode', async mode => {
    const { protocol, stream } = mode;
    // 12 prompt and 2 completion tokens are 0.016 USD.
    const gateway = await gatewayOver([[hello]], twoKeys({ usdPerMonth: 0.016 }));
    const ask = { path: protocol.path, body: protocol.ask(stream) };
    const paid = await call(gateway.url, ask);
    expect(paid.status).toBe(200);
    const refused = await call(gateway.url, ask);
    expect(refused.status).toBe(429);
    const { outcome, error } = read(protocol, refused, stream);
    expect(outcome).toBe('error');
    expect(error?.message).toContain('0.016 USD');
    expect(refused.headers['x-should-retry']).toBe('false');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await call(gateway.url, { ...ask, key: OTHER })).status).toBe(200);
    expect(gateway.upstreams[0]?.seen.length).toBe(2);
    const usage = await gateway.app.runtime.limiter.usage();
    expect(usage.find(({ subject, unit }) => subject === 'client' && unit === 'usd')?.spent).toBe(0.016);
  });

  it('does not keep a second call back for longer than the first one holds it', async () => {
    const gateway = await gatewayOver([[silent, hello]], { limits: { usdPerMonth: 0.000_001 } });
    const ask = { path: CHAT.path, body: CHAT.ask(true) };
    const holder = open(gateway.url, ask);
    await vi.waitFor(() => expect(gateway.upstreams[0]?.seen.length).toBe(1), PATIENT);
    expect((await call(gateway.url, ask)).status).toBe(429);
    holder.leave();
    // Nothing was used: the budget is whole again.
    await vi.waitFor(async () => expect((await call(gateway.url, ask)).status).toBe(200), PATIENT);
  });
});
