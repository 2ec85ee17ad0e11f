import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventsOf, REQUEST, summaryOf, TestNodes } from '../../test/test-nodes.ts';
import type { RouteDecision, RouteInferOptions } from './node-tries.ts';

const nodes = new TestNodes();
afterEach(() => nodes.close());

const DEAD = { url: 'http://127.0.0.1:9' };

describe('NodePoolProvider', () => {
  it('answers like a llama-server, and tells which node it was and why', async () => {
    const pool = nodes.pool(await nodes.servers(2, {}, {}));
    const provider = nodes.provider(pool);
    expect(provider).toMatchObject({ name: 'llamaserver', supportsStreaming: true });
    expect(provider.prepare(REQUEST)).toMatchObject({
      temperature: 0.7,
      maxTokens: 512,
      extra: { top_k: 40 },
    });
    const routes: RouteDecision[] = [];
    const options: RouteInferOptions = { onRoute: (route: RouteDecision) => void routes.push(route) };
    const ask = async () => summaryOf(await eventsOf(provider.infer(REQUEST, options)));
    const { text, done } = await ask();
    expect(text).toBe('Hello world');
    await ask();
    const [first, second] = routes;
    expect(first).toMatchObject({ attempt: 1, reasons: { why: 'load', cachedTokens: 0 } });
    expect(second).toMatchObject({ node: first?.node, reasons: { why: 'prefix', busySlots: 0 } });
    expect(second?.reasons.cachedTokens).toBeGreaterThan(0);
    expect(done.attempts).toMatchObject([{ number: 1, endpoint: first?.node, outcome: 'ok' }]);
    expect(provider.getStats()).toMatchObject({
      requests: 2,
      errors: 0,
      adapter: { strategy: 'balanced', waiting: 0, nodes: [{ name: 'n0' }, { name: 'n1' }] },
    });
    expect(pool.snapshot().nodes.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
    expect(await provider.generate('', 'Where are we?')).toBe('Hello world');
    expect(await provider.healthCheck()).toBe(true);
  });

  it('takes a call that has not begun to another node, and shows both in the attempt log', async () => {
    const failures = [
      { failure: { status: 500, type: 'server_error', message: 'no luck' } },
      { failure: { status: 503, type: 'server_error', message: 'no luck' } },
      { failure: { status: 401, type: 'authentication_error', message: 'no luck' } },
      { pieces: [], drop: true },
      { pieces: [], cut: true },
    ];
    for (const failure of failures) {
      const servers = await nodes.servers(2, failure, {});
      const pool = nodes.pool(servers, { strategy: 'round_robin' });
      const provider = nodes.provider(pool);
      const { text, error, done } = summaryOf(await eventsOf(provider.infer(REQUEST)));
      expect({ text, error }).toEqual({ text: 'Hello world', error: undefined });
      expect(done.attempts).toMatchObject([
        { number: 1, endpoint: 'n0' },
        { number: 2, endpoint: 'n1', outcome: 'ok' },
      ]);
      expect(done.timings.totalMs).toBeGreaterThan(done.timings.firstTokenMs ?? Number.POSITIVE_INFINITY);
      expect(provider.getStats()).toMatchObject({ requests: 1, errors: 0 });
      expect(pool.snapshot().nodes.map(({ errorRate }) => errorRate)).toEqual([1, 0]);
    }
  });

  it('fails honestly when a node is lost after the first piece', async () => {
    const servers = await nodes.servers(2, { pieces: ['Hel'], pieceDelayMs: 20, drop: true }, {});
    const pool = nodes.pool(servers, { strategy: 'round_robin' });
    const provider = nodes.provider(pool);
    const { text, error, done } = summaryOf(await eventsOf(provider.infer(REQUEST)));
    expect({ text, category: error?.category }).toEqual({ text: 'Hel', category: 'connection' });
    expect(done.attempts).toMatchObject([{ endpoint: 'n0', outcome: 'connection' }]);
    expect(pool.snapshot().nodes).toMatchObject([{ state: 'out', inFlight: 0 }, { state: 'in' }]);
    expect(servers[1]?.inferences).toEqual([]);
  });

  it('does not try elsewhere what no other node would take', async () => {
    const failure = { status: 400, type: 'invalid_request_error', message: 'bad' };
    const servers = await nodes.servers(2, { failure }, { failure });
    const pool = nodes.pool(servers);
    const { error, done } = summaryOf(await eventsOf(nodes.provider(pool).infer(REQUEST)));
    expect(error?.category).toBe('invalid_request');
    expect(done.attempts).toHaveLength(1);
    expect(pool.snapshot().nodes.map(({ errorRate }) => errorRate)).toEqual([0, 0]);
  });

  it('ends with the last failure when no node is left, with advice that speaks of nodes', async () => {
    const pool = nodes.pool([DEAD, DEAD]);
    const provider = nodes.provider(pool, { maxRetries: 2 });
    const { error, done } = summaryOf(await eventsOf(provider.infer(REQUEST)));
    expect(error).toMatchObject({ category: 'connection' });
    expect(error?.message).toContain('start llama-server at that node, or take it out of the node profiles');
    expect(
      done.attempts
        .map(({ endpoint }) => endpoint)
        .slice(0, 2)
        .sort(),
    ).toEqual(['n0', 'n1']);
    expect(done).toMatchObject({ finishReason: 'error', attempts: { length: 3 }, usage: { totalTokens: 0 } });
    expect(provider.getStats()).toMatchObject({ requests: 1, errors: 1 });
    expect(await provider.healthCheck()).toBe(false);
  });

  it('fails as overloaded when no slot becomes free', async () => {
    const pool = nodes.pool(await nodes.servers(2, {}), { maxWaitMs: 20 });
    for (let n = 0; n < 2; n++) await pool.acquire({ request: REQUEST });
    const { error, done } = summaryOf(await eventsOf(nodes.provider(pool).infer(REQUEST)));
    expect(error).toMatchObject({ category: 'overloaded', code: 'node_queue_timeout' });
    expect(done).toMatchObject({ finishReason: 'error', usage: { totalTokens: 0 } });
  });

  it('counts the wait for a slot as part of the total deadline', async () => {
    const pool = nodes.pool(await nodes.servers(2, {}));
    for (let n = 0; n < 2; n++) await pool.acquire({ request: REQUEST });
    const stream = nodes.provider(pool).infer(REQUEST, { timeouts: { totalMs: 30 } });
    const { error } = summaryOf(await eventsOf(stream));
    expect(error).toMatchObject({ category: 'timeout', code: 'total_timeout' });
    expect(pool.snapshot().waiting).toBe(0);
  });

  it('gives the slot back when the consumer leaves or aborts, at whatever moment', async () => {
    const servers = await nodes.servers(2, { pieces: ['a', 'b', 'c'], pieceDelayMs: 40 });
    const pool = nodes.pool(servers);
    const provider = nodes.provider(pool);
    for await (const event of provider.infer(REQUEST)) if (event.type === 'token') break;
    for (const abortAfterMs of [0, 1, 30]) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), abortAfterMs);
      const { error } = summaryOf(await eventsOf(provider.infer(REQUEST, { signal: controller.signal })));
      expect(error?.category).toBe('aborted');
    }
    const leftEarly = provider.infer(REQUEST);
    void leftEarly.next();
    await leftEarly.return?.();
    const leases = await Promise.all([1, 2].map(() => pool.acquire({ request: REQUEST })));
    const queued = provider.infer(REQUEST);
    void queued.next();
    await vi.waitFor(() => expect(pool.snapshot().waiting).toBe(1));
    await queued.return?.();
    for (const lease of leases) lease.release({ result: 'none' });
    expect(pool.snapshot()).toMatchObject({
      waiting: 0,
      nodes: [{ inFlight: 0, state: 'in', errorRate: 0 }],
    });
    await vi.waitFor(() => expect(servers[0]?.busy).toBe(0));
  });

  it('never has more calls at a node than it has slots', async () => {
    const script = { pieces: ['a', 'b'], pieceDelayMs: 5 };
    const servers = await nodes.servers(2, script, script);
    const provider = nodes.provider(nodes.pool(servers));
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => provider.generate('', 'Where are we?')),
    );
    expect(new Set(answers)).toEqual(new Set(['ab']));
    for (const server of servers) {
      expect(server.mostBusy).toBeLessThanOrEqual(2);
      expect(server.inferences.length).toBeGreaterThan(5);
    }
  });

  it('loses no call that has not begun when a node dies in the middle of the load', async () => {
    const script = { headDelayMs: 5, pieces: ['a', 'b', 'c'], pieceDelayMs: 3 };
    const [first, second] = await nodes.servers(2, script, script);
    if (!first || !second) throw new Error('no servers');
    const provider = nodes.provider(nodes.pool([first, second]));
    const calls = Array.from({ length: 40 }, async () => {
      const events = await eventsOf(provider.infer(REQUEST));
      return { ...summaryOf(events), began: events.some(({ type }) => type === 'token') };
    });
    await vi.waitFor(() => expect(first.inferences.length).toBeGreaterThan(3));
    await first.close();
    const results = await Promise.all(calls);
    const lost = results.filter(({ error }) => error);
    expect(lost.filter(({ began }) => !began)).toEqual([]);
    expect(lost.length).toBeLessThanOrEqual(2);
    expect(results.filter(({ text, error }) => !error && text !== 'abc')).toEqual([]);
  });

  it('sends the key and the model of the node', async () => {
    const [server] = await nodes.servers(2, {});
    if (!server) throw new Error('no server');
    const pool = nodes.pool([server], {}, { model: 'pilot', apiKey: 'node-key-1234' });
    await nodes.provider(pool).generate('', 'Where are we?');
    expect(server.inferences[0]).toMatchObject({ model: 'pilot' });
    expect(server.keys.filter(key => key !== 'Bearer node-key-1234')).toEqual([]);
  });

  it('closes the pool only when that is its own', async () => {
    const pool = nodes.pool(await nodes.servers(2, {}));
    await nodes.provider(pool).close();
    expect(await nodes.provider(pool).generate('', 'Where are we?')).toBe('Hello world');
    await nodes.provider(pool, { ownsPool: true }).close();
    await expect(nodes.provider(pool).generate('', 'Where are we?')).rejects.toThrow(
      'the node pool is closed',
    );
  });
});
