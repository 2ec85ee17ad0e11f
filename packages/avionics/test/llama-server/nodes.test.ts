import type { InferenceRequest, Message } from '@x/airframe';
import { afterEach, expect, it, vi } from 'vitest';
import { type RealLlamaServer, startLlamaServer } from '../../../../test/real-llama-server.ts';
import type { RouteDecision, RouteInferOptions } from '../../src/nodes/node-tries.ts';
import { NodePool } from '../../src/nodes/pool.ts';
import { NodePoolProvider } from '../../src/nodes/pool-provider.ts';
import type { Strategy } from '../../src/nodes/strategies.ts';
import { eventsOf, summaryOf } from '../test-nodes.ts';

const servers: RealLlamaServer[] = [];
const pools: NodePool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map(pool => pool.close()));
  await Promise.all(servers.splice(0).map(server => server.stop()));
});

async function start(port?: number): Promise<RealLlamaServer> {
  const server = await startLlamaServer({ slots: 2, ...(port === undefined ? {} : { port }) });
  servers.push(server);
  return server;
}

function poolOver(nodes: readonly RealLlamaServer[], strategy: Strategy): NodePool {
  const profiles = nodes.map(({ url }, index) => ({ name: `n${index}`, baseUrl: url }));
  const pool = new NodePool(profiles, { strategy, healthIntervalMs: 100 });
  pools.push(pool);
  return pool;
}

/** The prompt tokens that a server had to evaluate, over some turns of agents whose histories grow. */
async function evaluatedTokens(strategy: Strategy): Promise<number> {
  const provider = new NodePoolProvider(poolOver([await start(), await start()], strategy));
  const histories = new Map<string, Message[]>(['ada', 'bob', 'eve'].map(name => [name, []]));
  let evaluated = 0;
  for (let turn = 0; turn < 4; turn++) {
    for (const [name, history] of histories) {
      history.push({
        role: 'user',
        content: `I am ${name}, turn ${turn}: ${`where is ${name} now? `.repeat(15)}`,
      });
      const request: InferenceRequest = { messages: history, maxTokens: 4, temperature: 0 };
      const { text, error, done } = summaryOf(await eventsOf(provider.infer(provider.prepare(request))));
      expect(error).toBeUndefined();
      history.push({ role: 'assistant', content: text });
      evaluated += done.usage.promptTokens - (done.usage.cachedTokens ?? 0);
    }
  }
  return evaluated;
}

it('has llama-servers evaluate far fewer prompt tokens than in turn', async () => {
  const inTurn = await evaluatedTokens('round_robin');
  const balanced = await evaluatedTokens('balanced');
  expect(balanced).toBeLessThan(inTurn * 0.7);
});

it('loses no call that has not begun when a llama-server is killed, and uses it again when it is back', async () => {
  const [first, second] = [await start(), await start()];
  const pool = poolOver([first, second], 'balanced');
  const provider = new NodePoolProvider(pool);
  const routes: RouteDecision[] = [];
  const options: RouteInferOptions = { onRoute: route => void routes.push(route) };
  const ask = async (words: string) => {
    const request = { messages: [{ role: 'user' as const, content: words }], maxTokens: 60 };
    const events = await eventsOf(provider.infer({ ...request, extra: { ignore_eos: true } }, options));
    return { ...summaryOf(events), began: events.some(({ type }) => type === 'token') };
  };
  const calls = Array.from({ length: 24 }, (_, index) => ask(`${index}: What is 2+2?`));
  await vi.waitFor(() => expect(routes.some(({ node }) => node === 'n0')).toBe(true));
  await Promise.race(calls);
  await first.kill();
  const results = await Promise.all(calls);
  const lost = results.filter(({ error }) => error);
  expect(lost.filter(({ began }) => !began)).toEqual([]);
  expect(lost.length).toBeLessThanOrEqual(2);
  await vi.waitFor(() => expect(pool.getNodeHealth('n0')).toBe(false), 10_000);

  await start(Number(new URL(first.url).port));
  await vi.waitFor(() => expect(pool.getNodeHealth('n0')).toBe(true), 30_000);
  routes.length = 0;
  const again = await Promise.all(Array.from({ length: 4 }, (_, index) => ask(`${index}: What is 3+3?`)));
  expect(again.filter(({ error }) => error)).toEqual([]);
  expect(new Set(routes.map(({ node }) => node))).toEqual(new Set(['n0', 'n1']));
});
