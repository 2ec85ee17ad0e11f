import { AirframeError } from '@x/airframe';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type RealRedis, startRedis } from '../../../../test/real-redis.ts';
import { LLMGateway } from '../../src/gateway/gateway.ts';
import { silentLogger } from '../../src/logger.ts';
import { MockProvider } from '../../src/providers/mock.ts';
import type { MockReply } from '../../src/providers/mock-reply.ts';
import { connectRedisStore } from '../../src/redis/index.ts';
import { BreakerBoard } from '../../src/routing/breaker.ts';
import { readSettings } from '../../src/settings/settings.ts';

let redis: RealRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.stop());

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const error = new AirframeError('connection', 'it is gone');

/** A connection as one of several replicas has it. */
async function connected() {
  const store = await connectRedisStore(redis.url);
  closing.push(() => store.close());
  return store;
}

async function boardOf(openMs: number, log: string[] = []) {
  const say = (message: string) => void log.push(message);
  const logger = { ...silentLogger, warn: say, info: say };
  const board = new BreakerBoard({ failures: 1, openMs }, { store: await connected(), logger });
  closing.push(() => board.close());
  return board;
}

/** Whether a call that comes now would be sent to a provider. */
const asks = (board: BreakerBoard, name: string) => board.sorted([{ name }]).ask.length > 0;

it('what one replica sees fail, the others leave alone; one of them probes, and all of them come back', async () => {
  const [one, two, three] = await Promise.all([boardOf(1_500), boardOf(1_500), boardOf(1_500)]);
  const boards = [one, two, three];
  for (const board of boards) expect(asks(board, 'a')).toBe(true);
  const failedAt = performance.now();
  one.of('a').failed(error);
  await expect.poll(() => boards.map(board => asks(board, 'a'))).toEqual([false, false, false]);
  expect(performance.now() - failedAt).toBeLessThan(1_000);

  const probing: BreakerBoard[] = [];
  const look = () => {
    for (const board of boards) {
      if (!asks(board, 'a')) continue;
      board.of('a').began();
      probing.push(board);
    }
    return probing.length;
  };
  await expect.poll(look, { interval: 20, timeout: 5_000 }).toBeGreaterThan(0);
  const until = performance.now() + 1_500;
  await expect.poll(() => look() && performance.now() > until, { interval: 20, timeout: 5_000 }).toBe(true);
  expect(probing).toHaveLength(1);
  probing[0]?.of('a').answered();
  await expect.poll(() => boards.map(board => asks(board, 'a'))).toEqual([true, true, true]);
});

it('gateways share circuits', async () => {
  const gatewayOf = async (first: MockReply) => {
    const provider = (name: string, reply: MockReply) => new MockProvider({ name, responses: [reply] });
    const gateway = new LLMGateway(readSettings({ LLM_PROVIDER: 'openai', OPENAI_API_KEY: 'k' }), {
      breaker: { failures: 2, openMs: 30_000 },
      breakerStore: await connected(),
      fallbackProviders: ['mock'],
      providers: { openai: provider('openai', first), mock: provider('mock', { text: 'hi' }) },
    });
    closing.push(() => gateway.close());
    return gateway;
  };
  const [one, two] = await Promise.all([gatewayOf({ error }), gatewayOf({ text: 'well' })]);
  expect((await two.complete({ prompt: 'x' })).text).toBe('well');
  for (let n = 0; n < 2; n++) await one.complete({ prompt: 'x' });
  await expect
    .poll(async () => (await two.complete({ prompt: 'x' })).metadata.skipped)
    .toEqual([{ provider: 'openai', reason: 'circuit_open', retryInMs: expect.any(Number) }]);
});

it('a frozen Redis keeps no call, and each replica goes by what it sees', async () => {
  const log: string[] = [];
  const board = await boardOf(800, log);
  expect(asks(board, 'b')).toBe(true);
  redis.freeze();
  try {
    board.of('b').failed(error);
    const failedAt = performance.now();
    let slowestMs = 0;
    const look = () => {
      const startedAt = performance.now();
      const asked = asks(board, 'b');
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      return asked;
    };
    expect(look()).toBe(false);
    await expect.poll(look, { interval: 20, timeout: 5_000 }).toBe(true);
    expect(performance.now() - failedAt).toBeGreaterThan(790);
    expect(performance.now() - failedAt).toBeLessThan(1_500);
    expect(slowestMs).toBeLessThan(50);
  } finally {
    redis.thaw();
  }
  board.of('b').answered();
  const logNow = () => {
    asks(board, 'b');
    return log;
  };
  await expect
    .poll(logNow, { timeout: 10_000 })
    .toEqual([
      expect.stringContaining('is away; each replica goes by the failures it sees itself'),
      expect.stringContaining('is back'),
    ]);
});
