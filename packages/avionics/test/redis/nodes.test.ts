import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type RealRedis, startRedis } from '../../../../test/real-redis.ts';
import { connectRedisStore } from '../../src/redis/index.ts';
import { FailOpenStore } from '../../src/store/fail-open.ts';
import type { ScriptedLlamaServer } from '../scripted-llama-server.ts';
import { eventsOf, REQUEST, summaryOf, TestNodes } from '../test-nodes.ts';

let redis: RealRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.stop());

const nodes = new TestNodes();
afterEach(() => nodes.close());

/** A pool as one of several replicas has it, with a connection of its own. */
async function replica(servers: ScriptedLlamaServer[]) {
  const store = await connectRedisStore(redis.url);
  nodes.later(() => store.close());
  const pool = nodes.pool(servers, { store: new FailOpenStore(store) }, { slots: 1 });
  return { pool, ask: async () => summaryOf(await eventsOf(nodes.provider(pool).infer(REQUEST))) };
}

it('replicas never put more calls on a node than it has slots', async () => {
  const servers = await nodes.servers(1, { pieceDelayMs: 5 }, { pieceDelayMs: 5 });
  const replicas = await Promise.all([replica(servers), replica(servers), replica(servers)]);
  const calls = Array.from({ length: 60 }, (_, at) => replicas[at % 3]?.ask());
  for (const answer of await Promise.all(calls)) {
    expect(answer).toMatchObject({ text: 'Hello world', error: undefined });
  }
  expect(servers.map(({ mostBusy }) => mostBusy)).toEqual([1, 1]);
});

it('what one replica knows of a node, the others know', async () => {
  const servers = await nodes.servers(1, {}, {});
  const [one, two] = await Promise.all([replica(servers), replica(servers)]);
  await Promise.all([one.ask(), two.ask()]);
  one.pool.markNodeHealthy('n0', false);
  await expect.poll(() => two.pool.getNodeHealth('n0')).toBe(false);
  one.pool.markNodeHealthy('n0', true);
  await expect.poll(() => two.pool.getNodeHealth('n0')).toBe(true);
});

it('calls go on while Redis is frozen', async () => {
  const servers = await nodes.servers(1, {}, {});
  const { ask } = await replica(servers);
  await ask();
  redis.freeze();
  try {
    for (let n = 0; n < 5; n++) expect(await ask()).toMatchObject({ text: 'Hello world', error: undefined });
  } finally {
    redis.thaw();
  }
});
