import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Script, ScriptedLlamaServer } from '../../test/scripted-llama-server.ts';
import { eventsOf, REQUEST, summaryOf, TestNodes } from '../../test/test-nodes.ts';
import { MemoryStore } from '../store/memory.ts';
import { Holders } from './holders.ts';
import { NodeState, Rate } from './node-state.ts';
import type { RouteInferOptions } from './node-tries.ts';
import type { NodePool } from './pool.ts';
import { promptPrefix } from './prefix.ts';
import type { NodeProfile } from './profiles.ts';

const nodes = new TestNodes();
afterEach(() => nodes.close());

const OK = { result: 'ok' } as const;

/** Servers `a`, `b` and so on, each with two slots, as profiles that can be picked from. */
async function servers<Name extends string>(scripts: Record<Name, Script>) {
  const names = Object.keys(scripts) as Name[];
  const started = await nodes.servers(2, ...names.map(name => scripts[name]));
  const byName = Object.fromEntries(names.map((name, index) => [name, started[index]]));
  const profile = (name: Name, more: Partial<NodeProfile> = {}): NodeProfile => ({
    name,
    baseUrl: byName[name]?.url ?? '',
    slots: 2,
    ...more,
  });
  return { profile, server: byName as Record<Name, ScriptedLlamaServer> };
}

const poolOf = (profiles: NodeProfile[], options = {}): NodePool => {
  const pool = nodes.pool([{ url: profiles[0]?.baseUrl ?? '' }], options);
  pool.update(profiles);
  return pool;
};

/** A lease, so that its node can be asserted. */
const take = (pool: NodePool, more = {}) => pool.acquire({ request: REQUEST, ...more });

describe('a pool that may be empty', () => {
  it('refuses calls while it has no node, and takes them when one comes', async () => {
    const { profile } = await servers({ a: {} });
    const pool = nodes.pool([], { mayBeEmpty: true });
    const provider = nodes.provider(pool);
    await expect(take(pool)).rejects.toMatchObject({
      category: 'overloaded',
      code: 'no_node',
      retryAfterMs: 1_000,
    });
    expect(summaryOf(await eventsOf(provider.infer(REQUEST)))).toMatchObject({
      error: { category: 'overloaded' },
    });
    pool.update([profile('a')]);
    expect(summaryOf(await eventsOf(provider.infer(REQUEST)))).toMatchObject({ text: 'Hello world' });
    pool.update([]);
    await expect(take(pool)).rejects.toThrow('there is no node at the moment');
  });
});

describe('NodePool.update', () => {
  it('has an added node take calls, and looks at its health', async () => {
    const { profile, server } = await servers({ a: {}, b: {} });
    const pool = poolOf([profile('a', { slots: 1 })]);
    const provider = nodes.provider(pool);
    await take(pool);
    pool.update([profile('a', { slots: 1 }), profile('b')]);
    expect(summaryOf(await eventsOf(provider.infer(REQUEST)))).toMatchObject({ text: 'Hello world' });
    expect(server.b.inferences).toHaveLength(1);
    await vi.waitFor(() => expect(pool.getNodeHealth('b')).toBe(true));
  });

  it('gives a removed node no further call, lets its stream go on, and looks at it no more', async () => {
    const slow = { pieces: Array.from({ length: 20 }, () => 'x'), pieceDelayMs: 10 };
    const { profile, server } = await servers({ a: slow, b: {} });
    const pool = poolOf([profile('a')]);
    const provider = nodes.provider(pool);
    const stream = provider.infer(REQUEST);
    const first = await stream.next();
    pool.update([profile('b')]);
    const looks = server.a.paths.length;
    for (let n = 0; n < 4; n++) await eventsOf(provider.infer(REQUEST));
    const { text, error, done } = summaryOf([first.value, ...(await eventsOf(stream))].filter(e => !!e));
    expect({ text, error, reason: done.finishReason }).toEqual({
      text: 'x'.repeat(20),
      error: undefined,
      reason: 'stop',
    });
    expect(server.a.inferences).toHaveLength(1);
    expect(server.b.inferences).toHaveLength(4);
    expect(server.a.paths.slice(looks)).toEqual([]);
    expect(pool.snapshot().nodes).toMatchObject([{ name: 'b', inFlight: 0 }]);
    expect(() => pool.getNodeHealth('a')).toThrow('no node is named "a"; known: b');
  });

  it('keeps what is known of those that stay: prompts, averages, health and calls under way', async () => {
    const { profile, server } = await servers({ a: {}, b: {}, c: {} });
    const pool = poolOf([profile('a'), profile('b')]);
    const provider = nodes.provider(pool);
    const routed: string[] = [];
    const options: RouteInferOptions = { onRoute: ({ node }) => void routed.push(node) };
    const ask = () => eventsOf(provider.infer(REQUEST, options));
    await ask();
    const home = routed[0] === 'a' ? 'a' : 'b';
    await vi.waitFor(() => expect(pool.getNodeHealth(home)).toBe(true));
    const lease = await take(pool);
    const figures = () => pool.snapshot().nodes.find(({ name }) => name === home);
    const before = figures();
    pool.markNodeHealthy(home === 'a' ? 'b' : 'a', false);
    pool.update([profile('c'), profile('b', { apiKey: 'k2' }), profile('a', { apiKey: 'k2', tags: ['eu'] })]);
    expect(figures()).toEqual(before);
    expect(before).toMatchObject({
      inFlight: 1,
      heldBlocks: expect.any(Number),
      latencyMs: expect.any(Number),
    });
    expect(pool.getNodeHealth(home === 'a' ? 'b' : 'a')).toBe(false);
    lease.release(OK);
    await ask();
    await ask();
    expect(new Set(routed)).toEqual(new Set([home]));
    expect(figures()?.inFlight).toBe(0);
    expect(server[home].keys.at(-1)).toBe('Bearer k2');
    // Another key, another look, but not another state.
    await vi.waitFor(() => expect(server.c.paths).toContain('/props'));
    expect(pool.getNodeHealth(home === 'a' ? 'b' : 'a')).toBe(false);
  });

  it('has changed tags, agents, models and slots hold for calls from then on', async () => {
    const { profile } = await servers({ a: {}, b: {} });
    const pool = poolOf([profile('a'), profile('b')]);
    const eu = { tags: ['eu'], agents: ['planner'], model: 'big', slots: 1 };
    pool.update([profile('a'), profile('b', eu)]);
    const wanted = { request: { ...REQUEST, model: 'big' }, agentName: 'planner', tags: ['eu'] };
    expect((await take(pool, wanted)).node).toEqual(profile('b', eu));
    await expect(take(pool, { ...wanted, deadlineMs: 5 })).rejects.toThrow('no node had a free slot');
    for (let n = 0; n < 2; n++) expect((await take(pool)).node.name).toBe('a');
    pool.update([profile('a', { slots: 3 }), profile('b', eu)]);
    expect((await take(pool)).node.name).toBe('a');
    pool.update([profile('a'), profile('b')]);
    await expect(take(pool, { ...wanted, deadlineMs: 5 })).rejects.toMatchObject({ code: 'no_node' });
  });

  it('takes a node that has moved for another one', async () => {
    const { profile, server } = await servers({ a: {}, b: {} });
    const pool = poolOf([profile('a')]);
    await eventsOf(nodes.provider(pool).infer(REQUEST));
    const lease = await take(pool);
    pool.update([{ ...profile('b'), name: 'a' }]);
    const [moved] = pool.snapshot().nodes;
    expect(moved).toMatchObject({
      name: 'a',
      baseUrl: server.b.url,
      inFlight: 0,
      heldBlocks: 0,
      errorRate: 0,
    });
    lease.release({ result: 'failed', unreachable: true });
    expect(pool.snapshot().nodes).toMatchObject([{ state: 'in', errorRate: 0, inFlight: 0 }]);
    expect((await take(pool)).node.baseUrl).toBe(server.b.url);
  });

  it('knows nothing of a node that went and came back', async () => {
    const { profile, server } = await servers({ a: {}, b: {} });
    server.a.says.ready = false;
    const pool = poolOf([profile('a'), profile('b')], { healthIntervalMs: 60_000 });
    (await take(pool)).release(OK);
    await vi.waitFor(() => expect(pool.getNodeHealth('a')).toBe(false));
    pool.update([profile('b')]);
    server.a.says.ready = true;
    pool.update([profile('a'), profile('b')]);
    expect(pool.getNodeHealth('a')).toBeUndefined();
    await vi.waitFor(() => expect(pool.getNodeHealth('a')).toBe(true));
  });

  it('refuses a list with problems, an empty one too, and the nodes stay', async () => {
    const { profile } = await servers({ a: {} });
    const pool = poolOf([profile('a')]);
    expect(() => pool.update([])).toThrow('there are no nodes; give at least one');
    expect(() => pool.update([profile('a'), { name: 'b', baseUrl: 'nowhere' }])).toThrow('node "b": ');
    expect(pool.profiles).toEqual([profile('a')]);
    expect((await take(pool)).node.name).toBe('a');
    await pool.close();
    expect(() => pool.update([profile('a')])).toThrow('the node pool is closed');
  });
});

describe('NodePool.update with calls that wait', () => {
  it('has a new node serve those it is for, and refuses those that no node is for any more', async () => {
    const { profile } = await servers({ a: {}, b: {} });
    const pool = poolOf([profile('a', { slots: 1, tags: ['eu'] })]);
    const lease = await take(pool);
    const waiting = take(pool);
    const refused = expect(take(pool, { tags: ['eu'] })).rejects.toMatchObject({
      category: 'not_found',
      code: 'no_node',
      message: expect.stringContaining('no node is for tags eu'),
    });
    await vi.waitFor(() => expect(pool.snapshot().waiting).toBe(2));
    pool.update([profile('b', { slots: 1 })]);
    const served = await waiting;
    expect(served.node.name).toBe('b');
    await refused;
    expect(pool.snapshot()).toMatchObject({ waiting: 0, nodes: [{ name: 'b', inFlight: 1 }] });
    served.release(OK);
    lease.release(OK);
    expect(pool.snapshot()).toMatchObject({ nodes: [{ inFlight: 0 }] });
  });

  it('has more slots of a node that stays serve them', async () => {
    const { profile } = await servers({ a: {} });
    const pool = poolOf([profile('a', { slots: 1 })]);
    await take(pool);
    const waiting = take(pool);
    await vi.waitFor(() => expect(pool.snapshot().waiting).toBe(1));
    pool.update([profile('a')]);
    expect((await waiting).node.name).toBe('a');
  });

  it('lets no call wait for the node that held its prompt', async () => {
    const { profile } = await servers({ a: {}, b: {}, c: {} });
    const [a, b] = [profile('a', { slots: 1 }), profile('b', { slots: 1 })];
    const pool = poolOf([a, b], { strategy: 'affinity' });
    const requests = ['one', 'two'].map(text => ({ prompt: text.repeat(200) }));
    const exclude = new Set(['b']);
    for (const request of requests) (await pool.acquire({ request, exclude })).release(OK);
    await pool.acquire({ request: REQUEST, exclude });
    const [first, second] = requests.map(request => pool.acquire({ request }));
    await vi.waitFor(() => expect(pool.snapshot().waiting).toBe(2));
    const other = await pool.acquire({ request: { prompt: '' } });
    pool.update([{ ...profile('c', { slots: 1 }), name: 'a' }, b]);
    expect((await first)?.node.name).toBe('a');
    other.release(OK);
    expect((await second)?.node.name).toBe('b');
  });

  it('sends a call on whose node goes while its slot is being claimed', async () => {
    const { profile } = await servers({ a: {}, b: {} });
    let answer = () => {};
    const store = new MemoryStore();
    const asked = vi.spyOn(store, 'claim').mockImplementationOnce(
      async (...args) =>
        new Promise(resolve => {
          answer = () => resolve(MemoryStore.prototype.claim.apply(store, args));
        }),
    );
    const pool = poolOf([profile('a')], { store });
    const leasing = take(pool);
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    pool.update([profile('b')]);
    answer();
    expect((await leasing).node.name).toBe('b');
    await vi.waitFor(async () => expect(await store.held(`slots:${profile('a').baseUrl}`)).toBe(0));
    expect(await store.held(`slots:${profile('b').baseUrl}`)).toBe(1);
  });
});

it('a node that went is forgotten with the prompts it held, those of its last calls included', () => {
  const holders = new Holders<NodeState>();
  const node = new NodeState({ name: 'a' }, {}, new Rate(0.1), holders);
  const prefix = promptPrefix(REQUEST);
  node.begin(prefix, 0, false).end(OK, 1);
  const call = node.begin(prefix, 2, true);
  expect(holders.of(prefix.hashes[0])).toContain(node);
  node.retire();
  call.end(OK, 3);
  expect(holders.of(prefix.hashes[0]).size).toBe(0);
});

it('a thousand updates under load leave no timer and no listener', async () => {
  const { profile } = await servers({ a: {}, b: {}, c: {} });
  const timers = () => process.getActiveResourcesInfo().filter(what => what === 'Timeout').length;
  const before = timers();
  const pool = poolOf([profile('a')], { healthIntervalMs: 60_000, store: new MemoryStore() });
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on('warning', onWarning);
  const provider = nodes.provider(pool);
  const answers: Promise<string>[] = [];
  for (let n = 0; n < 1_000; n++) {
    const passing = { ...profile(n % 2 === 0 ? 'b' : 'c'), name: `pod-${n}` };
    pool.update(n % 3 === 0 ? [passing] : [profile('a', { tags: [`${n}`] }), passing]);
    if (n % 10 === 0) answers.push(eventsOf(provider.infer(REQUEST)).then(events => summaryOf(events).text));
    if (n % 10 === 5) await sleep(1);
  }
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['Hello world']));
  pool.update([profile('a')]);
  expect(pool.snapshot()).toMatchObject({ waiting: 0, nodes: [{ name: 'a', inFlight: 0 }] });
  await pool.close();
  await vi.waitFor(() => expect(timers()).toBeLessThanOrEqual(before));
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});
