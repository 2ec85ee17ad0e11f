import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { scriptedLlamaServerAt } from '../../test/scripted-llama-server.ts';
import { REQUEST, TestNodes } from '../../test/test-nodes.ts';
import type { LogFields } from '../logger.ts';
import { silentLogger } from '../logger.ts';
import type { ReplicaStore } from '../store/replica-store.ts';
import { type NodeLease, NodePool, type NodePoolOptions } from './pool.ts';

const nodes = new TestNodes();
afterEach(() => nodes.close());

const OK = { result: 'ok' } as const;

/** Takes so many slots. */
async function take(pool: NodePool, count: number): Promise<NodeLease[]> {
  const leases: NodeLease[] = [];
  for (let n = 0; n < count; n++) leases.push(await pool.acquire({ request: REQUEST }));
  return leases;
}

const timers = () => process.getActiveResourcesInfo().filter(what => what === 'Timeout').length;

describe('NodePool.acquire', () => {
  it('gives out no more slots than there are, and a freed one to who waits', async () => {
    const pool = nodes.pool(await nodes.servers(2, {}, {}));
    const leases = await take(pool, 4);
    const next = pool.acquire({ request: REQUEST });
    await vi.waitFor(() => expect(pool.snapshot().waiting).toBe(1));
    leases[2]?.release(OK);
    leases[2]?.release(OK);
    const { node, reasons } = await next;
    expect(node.name).toBe(leases[2]?.node.name);
    expect(reasons).toMatchObject({ strategy: 'balanced', why: 'prefix', slots: 2, busySlots: 1 });
    expect(reasons.waitedMs).toBeGreaterThan(0);
    expect(pool.snapshot().nodes.map(({ inFlight }) => inFlight)).toEqual([2, 2]);
  });

  it('learns the slots from the server where the profile names none', async () => {
    const [server] = await nodes.servers(3, {});
    const pool = new NodePool([{ name: 'n0', baseUrl: server?.url ?? '' }]);
    nodes.later(() => pool.close());
    const leases = await take(pool, 3);
    expect(leases.map(({ node }) => node.name)).toEqual(['n0', 'n0', 'n0']);
    await expect(pool.acquire({ request: REQUEST, deadlineMs: 5 })).rejects.toThrow(
      'no node had a free slot',
    );
  });

  it('refuses a call that would wait too long, and one for which the queue has no place', async () => {
    const pool = nodes.pool(await nodes.servers(2, {}), { maxQueue: 1 });
    await take(pool, 2);
    const first = pool.acquire({ request: REQUEST, deadlineMs: 60 });
    const waits = expect(first).rejects.toMatchObject({
      category: 'overloaded',
      code: 'node_queue_timeout',
      message: expect.stringMatching(
        /no node had a free slot within \d+ ms; 0 other calls wait in the queue; try/,
      ),
    });
    await expect(pool.acquire({ request: REQUEST })).rejects.toMatchObject({
      category: 'overloaded',
      code: 'node_queue_full',
      message: expect.stringContaining('1 calls wait for a slot already (maxQueue 1); try again later'),
    });
    await waits;
    expect(pool.snapshot().waiting).toBe(0);
  });

  it('lets a call that waits go when its caller does', async () => {
    const pool = nodes.pool(await nodes.servers(2, {}));
    const [lease] = await take(pool, 2);
    const controller = new AbortController();
    const waiting = pool.acquire({ request: REQUEST, signal: controller.signal });
    await vi.waitFor(() => expect(pool.snapshot().waiting).toBe(1));
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ category: 'aborted' });
    await expect(pool.acquire({ request: REQUEST, signal: controller.signal })).rejects.toMatchObject({
      category: 'aborted',
    });
    lease?.release(OK);
    expect(pool.snapshot()).toMatchObject({ waiting: 0, nodes: [{ inFlight: 1 }] });
  });

  it('names what no node is for', async () => {
    const pool = nodes.pool(await nodes.servers(1, {}), {}, { agents: ['planner'], model: 'pilot' });
    await expect(
      pool.acquire({ request: { ...REQUEST, model: 'big' }, agentName: 'planner', tags: ['eu'] }),
    ).rejects.toThrow(
      'no node is for agent planner, model big, tags eu; see the fields agents, model and tags',
    );
  });

  it('refuses those who wait when it is closed, and leaves no timer', async () => {
    const before = timers();
    const pool = nodes.pool(await nodes.servers(2, {}), { healthIntervalMs: 60_000 });
    await take(pool, 2);
    const waiting = expect(pool.acquire({ request: REQUEST })).rejects.toThrow('the node pool is closed');
    await pool.close();
    await waiting;
    await expect(pool.acquire({ request: REQUEST })).rejects.toThrow('the node pool is closed');
    expect(timers()).toBe(before);
  });
});

describe('NodePool with a call whose node is full while another has room', () => {
  /** A pool whose node `home` holds the prompt of REQUEST, worth a wait of three times `ms`, and is full. */
  async function fullHome(ms: number, options: NodePoolOptions = {}) {
    const pool = nodes.pool(await nodes.servers(1, {}, {}), options, { slots: 1 });
    const [first] = await take(pool, 1);
    const home = first?.node.name ?? '';
    await sleep(ms);
    first?.firstOutput();
    first?.release(OK);
    const exclude = new Set(['n0', 'n1'].filter(name => name !== home));
    const filling = await pool.acquire({ request: REQUEST, exclude });
    return { pool, home, filling };
  }

  it('lets it wait for that one', async () => {
    const { pool, home, filling } = await fullHome(1_000);
    const waiting = pool.acquire({ request: REQUEST });
    await vi.waitFor(() => expect(pool.snapshot().waiting).toBe(1));
    filling.release(OK);
    const { node, reasons } = await waiting;
    expect(node.name).toBe(home);
    expect(reasons).toMatchObject({ why: 'waited', cachedTokens: 192 });
    expect(reasons.waitedMs).toBeGreaterThan(0);
  });

  it('gives it another one when it has waited long enough, without anything else happening', async () => {
    const { pool, home } = await fullHome(20, { healthIntervalMs: 60_000 });
    const { node, reasons } = await pool.acquire({ request: REQUEST });
    expect(node.name).not.toBe(home);
    expect(reasons.why).toBe('moved');
    expect(reasons.waitedMs).toBeGreaterThan(0);
  });

  it('refuses it neither for its deadline nor for a full queue', async () => {
    for (const [options, deadlineMs] of [
      [{}, 5],
      [{ maxQueue: 0 }, undefined],
    ] as const) {
      const { pool, home } = await fullHome(1_000, options);
      expect((await pool.acquire({ request: REQUEST, deadlineMs })).node.name).not.toBe(home);
    }
  });
});

describe('NodePool and the health of its nodes', () => {
  it('sees a node go, load and come back, and says so once each', async () => {
    const [first, second] = await nodes.servers(2, {}, {});
    if (!first || !second) throw new Error('no servers');
    const said: string[] = [];
    const say = (message: string, fields?: LogFields) =>
      void said.push(`${message} ${fields?.['reason'] ?? ''}`);
    const pool = nodes.pool([first, second], { logger: { ...silentLogger, warn: say, info: say } });
    expect(pool.getNodeHealth('n0')).toBeUndefined();
    for (const lease of await take(pool, 1)) lease.release(OK);
    await vi.waitFor(() => expect(pool.getNodeHealth('n0')).toBe(true));
    const port = Number(new URL(first.url).port);
    await first.close();
    await vi.waitFor(() => expect(pool.getNodeHealth('n0')).toBe(false));
    const leases = await take(pool, 2);
    expect(leases.map(({ node }) => node.name)).toEqual(['n1', 'n1']);

    const again = await scriptedLlamaServerAt(port);
    nodes.later(() => again.close());
    again.says.ready = false;
    await vi.waitFor(() => expect(again.paths).toContain('/props'));
    expect(pool.getNodeHealth('n0')).toBe(false);
    // A call that waits is given to it as soon as it is ready.
    const waiting = pool.acquire({ request: REQUEST });
    again.says.ready = true;
    expect((await waiting).node.name).toBe('n0');
    expect(pool.getNodeHealth('n0')).toBe(true);
    expect(said).toEqual([
      expect.stringMatching(/^node n0 is taken out .*(refused|closed)/),
      'node n0 is back ',
    ]);
  });

  it('goes by what it is told, until a look finds a change', async () => {
    const pool = nodes.pool(await nodes.servers(2, {}, {}));
    await take(pool, 1);
    await vi.waitFor(() => expect(pool.getNodeHealth('n0')).toBe(true));
    pool.markNodeHealthy('n0', false);
    expect(pool.getNodeHealth('n0')).toBe(false);
    expect(pool.snapshot().nodes).toMatchObject([
      { state: 'out', out: { because: 'unhealthy', reason: 'marked by hand' } },
      { state: 'in', baseUrl: expect.stringContaining('http://127.0.0.1:') },
    ]);
    for (const { node, release } of await take(pool, 1)) {
      expect(node.name).toBe('n1');
      release(OK);
    }
    pool.markNodeHealthy('n0', true);
    expect(pool.getNodeHealth('n0')).toBe(true);
    expect(() => pool.markNodeHealthy('n9', true)).toThrow('no node is named "n9"; known: n0, n1');
  });

  it('takes slots that others use for taken', async () => {
    const servers = await nodes.servers(2, {}, {});
    const [first] = servers;
    if (first) first.says.busySlots = 2;
    const pool = nodes.pool(servers);
    for (const lease of await take(pool, 1)) lease.release(OK);
    await vi.waitFor(() => expect(pool.snapshot().nodes[0]?.busySlots).toBe(2), 5_000);
    for (const { node } of await take(pool, 2)) expect(node.name).toBe('n1');
  });

  it('gives a call that waits to an ejected node when its time is over', async () => {
    const pool = nodes.pool(
      await nodes.servers(1, {}, {}),
      { baseMs: 40, healthIntervalMs: 60_000 },
      { slots: 1 },
    );
    const [lost] = await take(pool, 1);
    lost?.release({ result: 'failed', unreachable: true });
    const [kept] = await take(pool, 1);
    expect(kept?.node.name).not.toBe(lost?.node.name);
    const { node, reasons } = await pool.acquire({ request: REQUEST });
    expect(node.name).toBe(lost?.node.name);
    expect(reasons.why).toBe('probe');
  });
});

/** A store as replicas share it, without time. */
class TestStore implements ReplicaStore {
  readonly holders = new Map<string, Set<string>>();
  readonly values = new Map<string, string>();
  away = false;

  async claim(key: string, capacity: number, holder: string) {
    const holders = this.#holders(key);
    const granted = holders.size < capacity;
    if (granted) holders.add(holder);
    return { granted, held: holders.size };
  }

  async renew(key: string, holder: string) {
    this.#holders(key).add(holder);
  }

  async release(key: string, holder: string) {
    this.#holders(key).delete(holder);
  }

  async get(key: string) {
    if (this.away) throw new Error('the store is away');
    return this.values.get(key);
  }

  async set(key: string, value: string) {
    this.values.set(key, value);
  }

  async delete(key: string) {
    this.values.delete(key);
  }

  #holders(key: string): Set<string> {
    if (this.away) throw new Error('the store is away');
    const holders = this.holders.get(key) ?? new Set();
    this.holders.set(key, holders);
    return holders;
  }
}

describe('NodePool with a store that replicas share', () => {
  it('never uses a slot that another replica has, and gets it when that one is done', async () => {
    const servers = await nodes.servers(2, {}, {});
    const store = new TestStore();
    const [one, two] = [nodes.pool(servers, { store }), nodes.pool(servers, { store })];
    const ofOne = await take(one, 3);
    const ofTwo = await take(two, 1);
    expect([...ofOne, ...ofTwo].filter(({ node }) => node.name === 'n0')).toHaveLength(2);
    await expect(two.acquire({ request: REQUEST, deadlineMs: 30 })).rejects.toMatchObject({
      category: 'overloaded',
    });
    const waiting = two.acquire({ request: REQUEST });
    ofOne[0]?.release(OK);
    const { node, release } = await waiting;
    expect(node.name).toBe(ofOne[0]?.node.name);
    for (const lease of [...ofOne, ...ofTwo]) lease.release(OK);
    release(OK);
    await vi.waitFor(() => expect([...store.holders.values()].map(({ size }) => size)).toEqual([0, 0]));
  });

  it('keeps away from nodes that another replica has seen fail, or an operator has taken out', async () => {
    const servers = await nodes.servers(2, {}, {});
    const store = new TestStore();
    const [one, two] = [nodes.pool(servers, { store }), nodes.pool(servers, { store })];
    for (const pool of [one, two]) for (const lease of await take(pool, 1)) lease.release(OK);
    await vi.waitFor(() => expect(two.getNodeHealth('n0')).toBe(true));
    one.markNodeHealthy('n0', false);
    await vi.waitFor(() => expect(two.getNodeHealth('n0')).toBe(false));
    one.markNodeHealthy('n0', true);
    await vi.waitFor(() => expect(two.getNodeHealth('n0')).toBe(true));
    const [lease] = await take(one, 1);
    lease?.release({ result: 'failed', unreachable: true });
    await vi.waitFor(() => expect(two.getNodeHealth(lease?.node.name ?? '')).toBe(false));
  });

  it('counts by itself while the store is away, and says so once', async () => {
    const store = new TestStore();
    store.away = true;
    const said: string[] = [];
    const say = (message: string) => void said.push(message);
    const logger = { ...silentLogger, warn: say, info: say };
    const pool = nodes.pool(await nodes.servers(2, {}), { store, logger });
    const leases = await take(pool, 2);
    await expect(pool.acquire({ request: REQUEST, deadlineMs: 5 })).rejects.toMatchObject({
      category: 'overloaded',
    });
    store.away = false;
    for (const lease of leases) lease.release(OK);
    await vi.waitFor(() => expect(said).toHaveLength(2));
    expect(said).toEqual([
      expect.stringContaining('is away; each replica counts'),
      expect.stringContaining('is back'),
    ]);
  });
});
