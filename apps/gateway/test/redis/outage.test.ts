import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/real-llama-server.ts';
import type { RealRedis } from '../../../../test/real-redis.ts';
import { hello } from '../upstreams.ts';
import { ask, startReplicas } from './replicas.ts';

/** Fourteen tokens at a cent each. */
const CALL_USD = 0.14;
/** A store answers within 250 ms or not at all; the rest is for the machine. */
const BOUND_MS = 2_000;

const OUTAGES: [string, (redis: RealRedis) => unknown, (redis: RealRedis) => unknown][] = [
  ['frozen', redis => redis.freeze(), redis => redis.thaw()],
  ['killed', redis => redis.kill(), redis => redis.restart()],
];

async function withBudget(whenStoreFails: 'open' | 'closed', { withoutRedis = false } = {}) {
  const { gateways, redis, upstream, usage } = await startReplicas(hello, {
    whenStoreFails,
    withoutRedis,
    cache: { ttl: 60 },
    keyLimits: { usdPerDay: 100 },
  });
  const [gateway] = gateways;
  let slowestMs = 0;
  let calls = 0;
  const call = async () => {
    const began = performance.now();
    const answer = await ask(gateway, { messages: [{ role: 'user', content: `call ${++calls}` }] });
    slowestMs = Math.max(slowestMs, performance.now() - began);
    return answer;
  };
  const bookedCalls = async () => {
    const [day] = await usage().catch(() => []);
    return day && day.reserved === 0 ? Math.round(day.spent / CALL_USD) : undefined;
  };
  /** What the store's guard has told in the log. */
  const told = () =>
    gateway.log().flatMap(({ state }) => (state === 'down' || state === 'up' ? [state] : []));
  return { gateway, redis, upstream, call, bookedCalls, told, slowestMs: () => slowestMs };
}

describe.for(OUTAGES)('while Redis is %s', ([, goes, comesBack]) => {
  it('calls go on where the store may fail, and all of them are booked when it is back', async () => {
    const { gateway, redis, call, bookedCalls, told, slowestMs } = await withBudget('open');
    expect((await call()).status).toBe(200);
    await goes(redis);
    for (let calls = 0; calls < 5; calls++) expect((await call()).status).toBe(200);
    expect((await fetch(`${gateway.url}/metrics`)).status).toBe(200);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    await comesBack(redis);
    await until(async () => (await bookedCalls()) === 6);
    expect(told()).toEqual(['down', 'up']);
    expect(slowestMs()).toBeLessThan(BOUND_MS);
  });

  it('calls are refused at once where it may not, nobody is asked, and they come again when it is back', async () => {
    const { redis, upstream, call, bookedCalls, told, slowestMs } = await withBudget('closed');
    expect((await call()).status).toBe(200);
    await goes(redis);
    for (let calls = 0; calls < 5; calls++) {
      const refused = await call();
      expect(refused).toMatchObject({
        status: 503,
        body: expect.stringContaining('limits cannot be checked'),
      });
      expect(refused.headers.get('x-should-retry')).toBe('true');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(upstream.seen).toHaveLength(1);
    await comesBack(redis);
    await until(async () => (await call()).status === 200);
    await until(async () => (await bookedCalls()) === 2);
    expect(told()).toEqual(['down', 'up']);
    expect(slowestMs()).toBeLessThan(BOUND_MS);
  });
});

it('gateways start while Redis is away, and book there what they did when it comes', async () => {
  const { redis, call, bookedCalls } = await withBudget('open', { withoutRedis: true });
  for (let calls = 0; calls < 3; calls++) expect((await call()).status).toBe(200);
  await redis.restart();
  await until(async () => (await bookedCalls()) === 3);
});
