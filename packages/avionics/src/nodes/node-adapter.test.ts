import { afterEach, expect, it } from 'vitest';
import { TestNodes } from '../../test/test-nodes.ts';
import { nodeAdapter } from './node-adapter.ts';

const nodes = new TestNodes();
afterEach(() => nodes.close());

const ENDPOINT = { name: 'nodes', backendKind: 'llama_server', baseUrl: 'http://127.0.0.1:9' };

async function oneOfTwo(adapterOptions: object = {}) {
  const [server] = await nodes.servers(2, {});
  if (!server) throw new Error('no server');
  const pool = nodes.pool([{ url: 'http://127.0.0.1:9' }, server], { healthIntervalMs: 60_000 });
  return { pool, adapter: nodeAdapter(pool, { maxRetries: 3, ...adapterOptions }) };
}

it('embeds in a slot, at another node where one is away', async () => {
  const { adapter, pool } = await oneOfTwo();
  const inputs = ['Where are we?', 'Over the sea.', 'And now?'];
  for (const input of inputs) {
    expect(await adapter.embed?.(ENDPOINT, { input: [input] })).toMatchObject({ embeddings: [[1, 0]] });
  }
  expect(pool.snapshot().nodes).toMatchObject([{ inFlight: 0 }, { inFlight: 0, errorRate: 0 }]);
});

it('waits for a slot to embed in no longer than the call’s own deadline', async () => {
  const { adapter, pool } = await oneOfTwo();
  const request = { messages: [] };
  const leases = await Promise.all(Array.from({ length: 4 }, () => pool.acquire({ request })));
  const waiting = adapter.embed?.(ENDPOINT, { input: ['x'] }, { timeouts: { totalMs: 20 } });
  await expect(waiting).rejects.toMatchObject({ category: 'timeout', code: 'total_timeout' });
  const left = adapter.embed?.(ENDPOINT, { input: ['x'] }, { signal: AbortSignal.timeout(20) });
  await expect(left).rejects.toMatchObject({ category: 'aborted' });
  expect(pool.snapshot().waiting).toBe(0);
  for (const lease of leases) lease.release({ result: 'none' });
});

it('lists models of the first node that answers, and is healthy when one is', async () => {
  const { adapter } = await oneOfTwo();
  expect(await adapter.listModels?.(ENDPOINT)).toMatchObject([{ id: 'scripted' }]);
  expect(await adapter.health(ENDPOINT)).toMatchObject({ state: 'healthy' });
});

it('says so when no node is for a call', async () => {
  const { adapter } = await oneOfTwo({ tags: ['eu'] });
  await expect(adapter.listModels?.(ENDPOINT)).rejects.toThrow('no node is for this agent, model and tags');
  await expect(adapter.embed?.(ENDPOINT, { input: ['x'] })).rejects.toThrow('no node is for tags eu');
  expect(await adapter.health(ENDPOINT)).toMatchObject({ state: 'unhealthy' });
});
