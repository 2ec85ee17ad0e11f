import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../../test/real-llama-server.ts';
import { type RealRedis, startRedis } from '../../../../test/real-redis.ts';
import { type Logger, silentLogger } from '../../src/logger.ts';
import { connectRedisStore, type RedisStore } from '../../src/redis/index.ts';
import { FailOpenStore } from '../../src/store/fail-open.ts';
import type { Settlement, Store } from '../../src/store/store.ts';
import { windowAt } from '../../src/store/windows.ts';
import { testStore } from '../store-contract.ts';

const DAY_MS = 86_400_000;
const PASSWORD = 'pa:ss/w@rd-of-redis';

let redis: RealRedis;
let shared: RedisStore;
beforeAll(async () => {
  redis = await startRedis({ password: PASSWORD });
  shared = await connectRedisStore(redis.url);
});
afterAll(async () => {
  await shared?.close();
  await redis?.stop();
});

testStore('Redis', () => shared);
testStore('Redis, failing open', () => new FailOpenStore(shared));

function logOf(lines: string[]): Logger {
  return {
    ...silentLogger,
    warn: message => void lines.push(`warn: ${message}`),
    info: message => void lines.push(`info: ${message}`),
  };
}

const spentOf = async (store: Store, key: string) => {
  const [state] = await store.usage([{ key, window: DAY_MS }]);
  return { spent: state?.spent, held: state?.held };
};

const settlement = (id: string, key: string, amount: number): Settlement => ({
  id,
  charges: [{ key, ...windowAt(Date.now(), DAY_MS), amount }],
});

describe('the Redis store', () => {
  it('counts a settlement once, however often it arrives', async () => {
    const key = 'once';
    await shared.reserve({
      id: 'r1',
      ttlMs: 60_000,
      charges: [{ key, window: DAY_MS, limit: 100, amount: 10 }],
    });
    for (let i = 0; i < 3; i++) await shared.settle(settlement('r1', key, 7));
    expect(await spentOf(shared, key)).toEqual({ spent: 7, held: 0 });
  });

  it('takes a reservation that arrives twice for one', async () => {
    const key = 'twice';
    const request = { id: 'r2', ttlMs: 60_000, charges: [{ key, window: DAY_MS, limit: 10, amount: 10 }] };
    expect((await shared.reserve(request)).granted).toBe(true);
    expect((await shared.reserve(request)).granted).toBe(true);
    expect(await spentOf(shared, key)).toEqual({ spent: 0, held: 10 });
  });

  it('books a settlement whose reservation never arrived', async () => {
    await shared.settle(settlement('r3', 'unheard', 7));
    expect(await spentOf(shared, 'unheard')).toEqual({ spent: 7, held: 0 });
  });

  it('lets nobody in by a reservation that arrives after its own end', async () => {
    // With a connection of its own: the failed call takes that store down.
    const store = await connectRedisStore(redis.url);
    await store.settle(settlement('r4', 'late', 0));
    const charges = [{ key: 'late', window: DAY_MS, limit: 10, amount: 10 }];
    await expect(store.reserve({ id: 'r4', ttlMs: 60_000, charges })).rejects.toThrow('is settled already');
    await store.close();
    expect(await spentOf(shared, 'late')).toEqual({ spent: 0, held: 0 });
  });

  it('is shared: what one grants the other refuses', async () => {
    const other = await connectRedisStore(redis.url);
    expect((await shared.claim('slot', 1, 'a', 60_000)).granted).toBe(true);
    expect((await other.claim('slot', 1, 'b', 60_000)).granted).toBe(false);
    await shared.set('value', 'x', 60_000);
    expect(await other.get('value')).toBe('x');
    await other.close();
  });

  it('keeps different prefixes apart', async () => {
    const other = await connectRedisStore(redis.url, { prefix: 'other:' });
    await shared.set('mine', 'x', 60_000);
    expect(await other.get('mine')).toBeUndefined();
    await other.close();
  });
});

describe('credentials', () => {
  it('stand neither in the log nor in errors', async () => {
    const lines: string[] = [];
    const url = `redis://someone:${encodeURIComponent('wrong-pass/word')}@127.0.0.1:${redis.port}`;
    const store = await connectRedisStore(url, { logger: logOf(lines), timeoutMs: 500 });
    const error = await store.get('x').catch(thrown => thrown);
    const told = JSON.stringify([lines, error, error.message, error.stack, String(error.cause)]);
    expect(lines).toEqual([expect.stringMatching(/^warn: Redis at 127\.0\.0\.1:\d+ is down: WRONGPASS/)]);
    expect(error).toMatchObject({ category: 'overloaded', code: 'store_down' });
    expect(told).not.toMatch(/wrong-pass|someone/);
    await store.close();
  });

  it('are not repeated from a URL that is wrong', async () => {
    for (const url of ['http://u:secret-pass@h', 'redis://u:secret-pass@h:port', 'u:secret-pass@h']) {
      const error = await connectRedisStore(url).catch(thrown => thrown);
      expect(error).toMatchObject({ category: 'invalid_request', code: 'configuration' });
      expect(error.message).toContain('correct REDIS_URL, e.g. redis://127.0.0.1:6379');
      expect(JSON.stringify(error) + error.stack).not.toContain('secret-pass');
    }
  });
});

describe('a Redis that is away', () => {
  let own: RealRedis | undefined;
  let store: RedisStore | undefined;
  const lines: string[] = [];
  afterEach(async () => {
    await store?.close();
    await own?.stop();
    lines.length = 0;
  });
  const connect = async (server: RealRedis) => {
    store = await connectRedisStore(server.url, { logger: logOf(lines), probeMs: 100 });
    return store;
  };

  it('does not keep a process from starting, and is found when it comes', async () => {
    own = await startRedis();
    await own.kill();
    const late = await connect(own);
    await expect(late.get('x')).rejects.toThrow(
      /^Redis at 127\.0\.0\.1:\d+ is down: connect ECONNREFUSED .*; start it, or correct REDIS_URL$/,
    );
    await own.restart();
    await until(() => late.up);
    await late.set('x', 'found', 60_000);
    expect(await late.get('x')).toBe('found');
    expect(lines).toEqual([
      expect.stringMatching(/is down: connect ECONNREFUSED/),
      expect.stringMatching(/^info: .* is back after \d+ ms$/),
    ]);
  });

  it('is told once when it is killed and once when it is back, and settlements reach it afterwards', async () => {
    own = await startRedis({ durable: true });
    const steady = await connect(own);
    const charges = [{ key: 'budget', window: DAY_MS, limit: 100, amount: 10 }];
    await steady.reserve({ id: 'before', ttlMs: 60_000, charges });
    for (let round = 0; round < 2; round++) {
      lines.length = 0;
      await own.kill();
      const calls = Array.from({ length: 20 }, () => steady.get('x').catch(error => error.code));
      for (const call of calls) expect(await call).toMatch(/^store_(down|failed)$/);
      await steady.settle(settlement(round === 0 ? 'before' : 'other', 'budget', 7));
      await own.restart();
      await until(() => steady.up);
      expect(lines).toEqual([
        expect.stringMatching(/^warn: .* is down: /),
        expect.stringMatching(/^info: .* is back/),
      ]);
    }
    await until(async () => (await spentOf(steady, 'budget')).spent === 14);
    expect(await spentOf(steady, 'budget')).toEqual({ spent: 14, held: 0 });
  });

  it('keeps no call waiting when it hangs, and is used again when it goes on', async () => {
    own = await startRedis();
    const steady = await connect(own);
    await steady.set('x', 'kept', 60_000);
    own.freeze();
    await expect(steady.get('x')).rejects.toMatchObject({
      code: 'store_failed',
      message: expect.stringContaining('is down: no answer within 250 ms'),
    });
    await expect(steady.get('x')).rejects.toMatchObject({ code: 'store_down' });
    own.thaw();
    await until(() => steady.up);
    expect(await steady.get('x')).toBe('kept');
    expect(lines).toHaveLength(2);
  });

  it('is taken for down while it refuses to write, though it answers', async () => {
    own = await startRedis();
    const steady = await connect(own);
    const { Redis } = await import('ioredis');
    const admin = new Redis(own.port);
    await admin.config('SET', 'maxmemory', '1');
    await expect(steady.set('x', 'y', 60_000)).rejects.toThrow(/is down: OOM command not allowed/);
    await new Promise(resolve => setTimeout(resolve, 350));
    expect({ up: steady.up, lines: lines.length }).toEqual({ up: false, lines: 1 });
    await admin.config('SET', 'maxmemory', '0');
    await until(() => steady.up);
    admin.disconnect();
  });

  it('leaves a line at the end about what it was never told', async () => {
    own = await startRedis();
    const steady = await connect(own);
    await own.kill();
    await expect(steady.get('x')).rejects.toThrow();
    await steady.settle(settlement('a', 'budget', 1));
    await steady.close();
    expect(lines.at(-1)).toBe('warn: calls never booked at Redis: 1');
  });
});
