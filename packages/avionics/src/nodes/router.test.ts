import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assigned, history, nodes, routerOf } from '../../test/test-router.ts';
import type { Assignment } from './route.ts';
import { STRATEGIES } from './strategies.ts';

describe('NodeRouter', () => {
  it('sends a history that grows back to its node', () => {
    const { router } = routerOf({ nodes: nodes(4) });
    const homes = new Map<string, string>();
    for (let turn = 4; turn < 12; turn++) {
      for (const agent of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
        const { node, reasons, end } = assigned(router, history(agent, turn));
        if (turn > 4) {
          expect(node).toBe(homes.get(agent));
          expect(reasons).toMatchObject({ why: 'prefix', cachedTokens: (turn - 1) * 64 });
        }
        homes.set(agent, node);
        end({ result: 'ok' });
      }
    }
    for (const name of ['n0', 'n1', 'n2', 'n3']) {
      expect([...homes.values()].filter(home => home === name)).toHaveLength(2);
    }
  });

  it.each(STRATEGIES)('with %s, gives no node more calls than it has slots', strategy => {
    const { router } = routerOf({ nodes: nodes(3), strategy });
    const given = Array.from({ length: 6 }, (_, n) => assigned(router, history(`a${n}`, 5)));
    expect(router.assign(history('late', 5))).toEqual({ refused: 'saturated' });
    given[0]?.end({ result: 'ok' });
    expect(assigned(router, history('late', 5)).node).toBe(given[0]?.node);
  });

  it('holds the load cap whatever calls come and go', () => {
    const call = fc.record({ agent: fc.integer({ min: 0, max: 9 }), end: fc.option(fc.nat(50)) });
    const slots = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(slots, fc.array(call, { maxLength: 80 }), (sizes, calls) => {
        const { router } = routerOf({
          nodes: sizes.map((size, index) => ({ name: `n${index}`, slots: size })),
        });
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const open: Assignment[] = [];
        for (const { agent, end } of calls) {
          if (end !== null && open.length > 0) open.splice(end % open.length, 1)[0]?.end({ result: 'ok' });
          const result = router.assign(history(`a${agent}`, 6));
          if (result.node === undefined) {
            expect(open).toHaveLength(total);
            continue;
          }
          open.push(result);
          const { slots } = result.reasons;
          const limit = Math.max(Math.ceil(0.75 * slots), Math.ceil((2 * open.length * slots) / total));
          expect(open.filter(({ node }) => node === result.node).length).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });
});

describe('NodeRouter with nodes that fail', () => {
  const fail = { result: 'failed' } as const;
  const refuse = { result: 'failed', unreachable: true } as const;

  it('never sends a call to a node that is out while one that is in has room', () => {
    const step = fc.record({
      agent: fc.integer({ min: 0, max: 5 }),
      outcome: fc.constantFrom('ok', 'failed', 'unreachable', 'open', 'end one'),
      ms: fc.integer({ min: 0, max: 400 }),
      health: fc.option(fc.record({ node: fc.nat(3), healthy: fc.boolean() })),
    });
    fc.assert(
      fc.property(fc.constantFrom(...STRATEGIES), fc.array(step, { maxLength: 60 }), (strategy, steps) => {
        const { router, clock } = routerOf({ nodes: nodes(4), strategy });
        const open: Assignment[] = [];
        for (const { agent, outcome, ms, health } of steps) {
          clock.ms += ms;
          if (health) router.setHealth(`n${health.node}`, health.healthy);
          if (outcome === 'end one') open.shift()?.end({ result: 'ok' });
          const before = new Map(router.snapshot().map(node => [node.name, node]));
          const healthyWithRoom = [...before.values()].some(
            node => node.state === 'in' && node.busySlots < node.slots,
          );
          const result = router.assign(history(`a${agent}`, 5));
          if (result.node === undefined) continue;
          const state = before.get(result.node)?.state;
          if (healthyWithRoom) expect(state).not.toBe('out');
          if (state === 'probing' && healthyWithRoom) expect(before.get(result.node)?.inFlight).toBe(0);
          clock.ms += ms;
          if (outcome === 'open') open.push(result);
          else if (outcome === 'unreachable') result.end(refuse);
          else result.end(outcome === 'failed' ? fail : { result: 'ok' });
        }
        for (const { end } of open) end({ result: 'none' });
        for (const node of router.snapshot()) expect(node.inFlight).toBe(0);
      }),
    );
  });

  it.each(STRATEGIES)(
    'with %s, keeps away from a node that fails fast, and uses it again when it is well',
    strategy => {
      const { router, clock } = routerOf({ nodes: nodes(2, 4), strategy });
      const bad = 'n0';
      let well = false;
      const tried = { n0: 0, n1: 0 };
      const call = (agent: string) => {
        const { node, firstOutput, end } = assigned(router, history(agent, 5));
        tried[node as keyof typeof tried]++;
        if (node === bad && !well) return end(fail);
        clock.ms += 100;
        firstOutput();
        end({ result: 'ok' });
      };
      for (let n = 0; n < 60; n++) call(`a${n}`);
      expect(tried.n0).toBeLessThanOrEqual(6);
      well = true;
      clock.ms += 10 * 60_000;
      tried.n0 = 0;
      for (let n = 0; n < 20; n++) call(`b${n}`);
      expect(tried.n0).toBeGreaterThan(0);
      expect(router.snapshot().map(({ state }) => state)).toEqual(['in', 'in']);
    },
  );

  it('gives one probe at a time to a node that comes back', () => {
    const { router, clock } = routerOf({ nodes: nodes(2, 4), baseMs: 1_000 });
    const first = assigned(router, history('a', 5));
    first.end(refuse);
    const other = first.node === 'n0' ? 'n1' : 'n0';
    expect(assigned(router, history('a', 5)).node).toBe(other);
    expect(router.nextLookAt([])).toBe(clock.ms + 1_000);
    clock.ms += 1_000;
    const probe = assigned(router, history('a', 5));
    expect(probe).toMatchObject({ node: first.node, reasons: { why: 'probe', cachedTokens: 0 } });
    expect(assigned(router, history('a', 5)).node).toBe(other);
    probe.end({ result: 'ok' });
    expect(router.state(first.node)).toBe('in');
  });

  it('tries the least bad when all nodes are out, and waits only for slots', () => {
    const { router, clock } = routerOf({ nodes: nodes(2, 1), baseMs: 1_000 });
    assigned(router, history('a', 5)).end(refuse);
    clock.ms += 10;
    assigned(router, history('a', 5)).end(refuse);
    const least = assigned(router, history('a', 5));
    expect(least.reasons.why).toBe('least_bad');
    expect(router.nextLookAt([])).toBe(clock.ms + 990);
    least.end({ result: 'ok' });
    expect(router.state(least.node)).toBe('in');
  });

  it('forgets what an unreachable node held', () => {
    const { router, clock } = routerOf({ nodes: nodes(2) });
    const { node, end } = assigned(router, history('a', 5));
    end(refuse);
    router.setHealth(node, false);
    clock.ms += 5_000;
    router.setHealth(node, true);
    const [snapshot] = router.snapshot().filter(({ name }) => name === node);
    expect(snapshot).toMatchObject({ state: 'probing', heldBlocks: 0 });
  });
});

describe('NodeRouter', () => {
  it('goes by agent, model and tags, and tells why there is no node', () => {
    const { router } = routerOf({
      nodes: [
        { name: 'plan', agents: ['planner'], model: 'pilot' },
        { name: 'eu', tags: ['eu', 'fast'] },
      ],
    });
    const { prefix } = history('a', 1);
    const planner = assigned(router, { prefix, agentName: 'planner', model: 'pilot', tags: [] });
    expect(['plan', 'eu']).toContain(planner.node);
    planner.end({ result: 'ok' });
    expect(assigned(router, { prefix, agentName: 'critic', tags: ['eu'] }).node).toBe('eu');
    expect(router.assign({ prefix, agentName: 'critic' })).toEqual({ refused: 'saturated' });
    expect(router.assign({ prefix, agentName: 'critic', exclude: new Set(['eu']) })).toEqual({
      refused: 'excluded',
    });
    expect(router.assign({ prefix, agentName: 'critic', tags: ['us'] })).toEqual({ refused: 'unmatched' });
    expect(router.namesFor({ agentName: 'planner', model: 'other' })).toEqual(['eu']);
  });

  it('prefers the node that answers faster, and gives a slow one another chance in time', () => {
    const { router, clock } = routerOf({ nodes: nodes(2, 8), loadCap: 100 });
    const answers = (ms: Record<string, number>, calls: number) => {
      const chosen: string[] = [];
      for (let n = 0; n < calls; n++) {
        const { node, firstOutput, end } = assigned(router, history(`${clock.ms}`, 5));
        chosen.push(node);
        clock.ms += ms[node] ?? 0;
        firstOutput();
        end({ result: 'ok' });
      }
      return chosen;
    };
    answers({ n0: 1_000, n1: 100 }, 4);
    expect(new Set(answers({ n0: 1_000, n1: 100 }, 10))).toEqual(new Set(['n1']));
    clock.ms += 30 * 60_000;
    expect(answers({ n0: 100, n1: 100 }, 6)).toContain('n0');
  });

  it('believes a node that says it held less than expected', () => {
    const { router } = routerOf({ nodes: nodes(1) });
    for (let turn = 0; turn < 30; turn++) {
      const { end } = assigned(router, history('a', 10));
      end({ result: 'ok', promptTokens: 1_000, cachedTokens: 0 });
    }
    expect(assigned(router, history('a', 10)).reasons.cachedTokens).toBeLessThan(10);
  });

  it('counts slots that others keep busy', () => {
    const { router } = routerOf({ nodes: nodes(2, 2) });
    router.observe('n0', { elsewhere: 2 });
    router.observe('n1', { slots: 3 });
    const given = [1, 2, 3].map(() => assigned(router, history('a', 3)).node);
    expect(given).toEqual(['n1', 'n1', 'n1']);
    expect(router.assign(history('a', 3))).toEqual({ refused: 'saturated' });
  });

  it('tells which share of its calls a node got for the prompt it holds', () => {
    const { router } = routerOf({ nodes: nodes(1, 2) });
    const rate = () => router.snapshot()[0]?.affinityRate;
    expect(rate()).toBeUndefined();
    assigned(router, history('a', 5)).end({ result: 'none' });
    expect(rate()).toBeUndefined();
    const first = assigned(router, history('a', 5));
    first.firstOutput();
    expect(rate()).toBe(0);
    first.end({ result: 'ok' });
    assigned(router, history('a', 6)).end({ result: 'ok' });
    expect(rate()).toBeCloseTo(0.5, 1);
    for (let turn = 7; turn < 100; turn++) assigned(router, history('a', turn)).end({ result: 'ok' });
    expect(rate()).toBeGreaterThan(0.95);
    for (let n = 0; n < 100; n++) assigned(router, history(`b${n}`, 5)).end({ result: 'ok' });
    expect(rate()).toBeLessThan(0.05);
  });

  it('tells why a node is out, and for how long', () => {
    const { router, clock } = routerOf({ nodes: nodes(2), baseMs: 1_000 });
    const { node, end } = assigned(router, history('a', 5));
    end({ result: 'failed', unreachable: true });
    clock.ms += 400;
    const outOf = (name: string) => router.snapshot().find(one => one.name === name)?.out;
    expect(outOf(node)).toEqual({ because: 'ejected', forMs: 600 });
    router.setHealth(node, false);
    expect(outOf(node)).toEqual({ because: 'unhealthy' });
    router.setHealth(node, true);
    expect(router.snapshot().find(one => one.name === node)).toMatchObject({ state: 'probing' });
    expect(outOf(node)).toBeUndefined();
  });
});
