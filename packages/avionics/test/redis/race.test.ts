import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../../test/real-llama-server.ts';
import { type RealRedis, startRedis } from '../../../../test/real-redis.ts';
import { Limiter } from '../../src/limits/limiter.ts';
import type { LimitRule } from '../../src/limits/rules.ts';
import type { LimitUsage } from '../../src/limits/usage.ts';
import { connectRedisStore, type RedisStore } from '../../src/redis/index.ts';
import type { Plan, Report } from './racer.ts';

// Inside the package, so that the child finds ioredis; ignored by git as node_modules.
const outDir = fileURLToPath(new URL('../../node_modules/.cache/redis-race', import.meta.url));

beforeAll(() =>
  build({
    entry: [fileURLToPath(new URL('racer.ts', import.meta.url))],
    outDir,
    config: false,
    format: 'esm',
    outExtension: () => ({ js: '.mjs' }),
    silent: true,
    platform: 'node',
    external: ['ioredis'],
    noExternal: [/^(?!ioredis)/],
    // undici is CommonJS.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    esbuildOptions: options => {
      options.conditions = ['@x/source'];
    },
  }),
);
afterAll(() => rm(outDir, { recursive: true, force: true }));

const PROCESSES = 4;
/** One call costs a cent. */
const CALL = 10_000_000;
const BUDGET: LimitRule = { name: 'race', scope: 'agent', match: 'racer', window: 'month', usd: 0.5 };
const LIMIT = 50 * CALL;

describe('200 calls in 4 processes against one budget for 50', () => {
  let redis: RealRedis;
  let store: RedisStore;
  let racers: ChildProcess[];
  beforeEach(async () => {
    racers = [];
    redis = await startRedis({ durable: true });
    store = await connectRedisStore(redis.url, { probeMs: 100 });
  });
  afterEach(async () => {
    for (const racer of racers) racer.kill('SIGKILL');
    await store.close();
    await redis.stop();
  });

  async function start(plan: Partial<Plan>): Promise<void> {
    const defaults = { url: redis.url, rules: [BUDGET], whenStoreFails: 'closed', calls: 50, everyMs: 0 };
    const full = { ...defaults, callMs: 100, estimate: CALL, actual: CALL, ...plan };
    racers = Array.from({ length: PROCESSES }, () =>
      fork(`${outDir}/racer.mjs`, [JSON.stringify(full)], { execArgv: [] }),
    );
    await Promise.all(racers.map(racer => once(racer, 'message')));
  }

  /** Lets all begin at once; resolves when all calls have ended. */
  const run = async () => {
    const done = Promise.all(racers.map(racer => once(racer, 'message')));
    for (const racer of racers) racer.send('go');
    await done;
  };

  async function reports(): Promise<Report[]> {
    const answers = racers.map(racer => once(racer, 'message'));
    for (const racer of racers) racer.send('report');
    return (await Promise.all(answers)).map(([report]) => report as Report);
  }

  /** They close their stores, and exit for lack of anything left to do. */
  async function end(): Promise<(number | null)[]> {
    const exits = racers.map(racer => once(racer, 'exit'));
    for (const racer of racers) racer.send('end');
    return (await Promise.all(exits)).map(([code]) => code as number | null);
  }

  /** What the budget says; waits for the connection where Redis has been away. */
  async function usage() {
    const limiter = new Limiter({ rules: [BUDGET], store, whenStoreFails: 'closed' });
    let usd: LimitUsage | undefined;
    await until(async () => {
      [usd] = await limiter.usage().catch(() => []);
      return usd !== undefined;
    });
    return { spent: Math.round((usd?.spent ?? 0) * 1e9), held: Math.round((usd?.reserved ?? 0) * 1e9) };
  }

  const madeIn = (all: Report[]) => all.reduce((sum, { made }) => sum + made, 0);
  const refusedIn = (all: Report[], category: string) =>
    all.reduce((sum, { refused }) => sum + (refused[category] ?? 0), 0);
  const slowestIn = (all: Report[]) => Math.max(...all.map(({ slowestMs }) => slowestMs));

  it('lets exactly 50 through', async () => {
    await start({});
    await run();
    const all = await reports();
    expect({ made: madeIn(all), refused: refusedIn(all, 'quota') }).toEqual({ made: 50, refused: 150 });
    expect(await usage()).toEqual({ spent: LIMIT, held: 0 });
    expect(await end()).toEqual([0, 0, 0, 0]);
  });

  it('is passed by less than one call, whatever a call costs', async () => {
    const estimate = Math.round(CALL * 1.3);
    await start({ estimate, actual: estimate, callMs: 20, everyMs: 5 });
    await run();
    const { spent, held } = await usage();
    expect({ held, made: madeIn(await reports()) * estimate }).toEqual({ held: 0, made: spent });
    expect(spent).toBeGreaterThanOrEqual(LIMIT);
    expect(spent - LIMIT).toBeLessThan(estimate);
  });

  it('is spent to the end when calls cost less than expected', async () => {
    const actual = CALL / 2;
    await start({ actual, callMs: 20, everyMs: 20 });
    await run();
    const { spent } = await usage();
    expect(spent).toBeGreaterThan(LIMIT / 2);
    expect(spent - LIMIT).toBeLessThan(CALL);
    expect(madeIn(await reports()) * actual).toBe(spent);
  });

  /** Longest that a call may be kept by a store that answers within 250 ms or not at all; the rest is for the machine. */
  const BOUND_MS = 1_500;

  it('with Redis frozen for 5 s: refuses within the bound, and no cent is spent twice or lost', async () => {
    await start({ everyMs: 140 });
    const running = run();
    await sleep(500);
    redis.freeze();
    await sleep(5_000);
    redis.thaw();
    await running;
    await until(async () => (await usage()).held === 0);
    const all = await reports();
    expect(slowestIn(all)).toBeLessThan(BOUND_MS);
    expect(refusedIn(all, 'overloaded')).toBeGreaterThan(PROCESSES);
    expect(await usage()).toEqual({ spent: madeIn(all) * CALL, held: 0 });
    expect(madeIn(all) * CALL).toBeLessThanOrEqual(LIMIT);
    for (const { log } of all) {
      expect(log).toEqual([expect.stringContaining('is down'), expect.stringContaining('is back')]);
    }
    expect(await end()).toEqual([0, 0, 0, 0]);
  });

  it('with Redis frozen for 5 s and failing open: no call waits or is refused, and each is booked once', async () => {
    const roomy = { ...BUDGET, usd: 5 };
    await start({ everyMs: 140, whenStoreFails: 'open', rules: [roomy] });
    const running = run();
    await sleep(500);
    redis.freeze();
    await sleep(5_000);
    redis.thaw();
    await running;
    await until(async () => (await usage()).spent === 200 * CALL);
    const all = await reports();
    expect(slowestIn(all)).toBeLessThan(BOUND_MS);
    expect(all.map(({ made, refused }) => ({ made, refused }))).toEqual(
      Array(4).fill({ made: 50, refused: {} }),
    );
    // Late arrivals would show here.
    await sleep(500);
    expect(await usage()).toEqual({ spent: 200 * CALL, held: 0 });
    for (const { log } of all) expect(log).toHaveLength(2);
  });

  it('failing open: each process goes on from what was left, and no further', async () => {
    await start({ everyMs: 40, whenStoreFails: 'open' });
    const running = run();
    await sleep(300);
    await redis.kill();
    await running;
    await redis.restart();
    const all = await reports();
    await until(async () => (await usage()).spent === madeIn(all) * CALL);
    // What was left, once a process, is less than the budget once a process.
    expect(madeIn(all)).toBeLessThan(PROCESSES * 50);
    expect(refusedIn(all, 'quota')).toBeGreaterThan(0);
    expect(refusedIn(all, 'overloaded')).toBe(0);
  });

  it('with Redis killed and restarted: recovers by itself, with one line a change', async () => {
    await start({ everyMs: 140 });
    const running = run();
    await sleep(500);
    await redis.kill();
    await sleep(500);
    await redis.restart();
    await running;
    await until(async () => (await usage()).held === 0);
    const all = await reports();
    expect(slowestIn(all)).toBeLessThan(BOUND_MS);
    expect(await usage()).toEqual({ spent: madeIn(all) * CALL, held: 0 });
    expect(madeIn(all)).toBe(50);
    for (const { log } of all) {
      expect(log).toEqual([
        expect.stringContaining('is down: the connection was lost'),
        expect.stringContaining('is back'),
      ]);
    }
    await redis.kill();
    expect(await end()).toEqual([0, 0, 0, 0]);
  });

  it('gives back what killed processes held, after the time for that', async () => {
    await start({ callMs: 60_000, reservationMs: 3_000 });
    void run().catch(() => {});
    await until(async () => (await usage()).held === LIMIT);
    for (const racer of racers) racer.kill('SIGKILL');
    expect(await usage()).toEqual({ spent: 0, held: LIMIT });
    await until(async () => (await usage()).held === 0);
  });
});
