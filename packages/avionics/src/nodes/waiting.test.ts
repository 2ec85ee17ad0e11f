import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assigned, history, nodes, routerOf } from '../../test/test-router.ts';
import type { RouteRequest, Waiting } from './route.ts';
import type { NodeRouter } from './router.ts';

const waitingFor = (...agents: string[]): Waiting[] =>
  agents.map(agent => ({ request: history(agent, 8), passedOver: 0 }));

describe('NodeRouter.assignNext', () => {
  it('gives a slot to the call whose prompt the node holds, but passes nobody over for ever', () => {
    const { router } = routerOf({ nodes: nodes(1, 1) });
    assigned(router, history('known', 7)).end({ result: 'ok' });
    const waiting = waitingFor('stranger', 'known');
    const served: string[] = [];
    for (let turn = 0; turn < 10; turn++) {
      const next = router.assignNext(waiting);
      if (!next) throw new Error('no slot');
      served.push(next.index === 0 ? 'stranger' : 'known');
      next.assignment.end({ result: 'ok' });
    }
    expect(served.indexOf('stranger')).toBe(8);
  });

  it('gives none while all slots are taken', () => {
    const { router } = routerOf({ nodes: nodes(1, 1) });
    const { end } = assigned(router, history('a', 3));
    expect(router.assignNext(waitingFor('b'))).toBeUndefined();
    end({ result: 'none' });
    expect(router.assignNext(waitingFor('b'))).toMatchObject({ index: 0, assignment: { node: 'n0' } });
  });

  it('with affinity, lets a call wait for its node', () => {
    const { router } = routerOf({ nodes: nodes(2, 1), strategy: 'affinity' });
    const { node, end } = assigned(router, history('a', 3));
    expect(router.assign(history('a', 4))).toEqual({
      refused: 'saturated',
      waitsFor: { node, until: Number.POSITIVE_INFINITY },
    });
    expect(router.assignNext([{ request: history('a', 4), passedOver: 0 }])).toBeUndefined();
    end({ result: 'ok' });
    expect(router.assignNext([{ request: history('a', 4), passedOver: 0 }])?.assignment.node).toBe(node);
  });

  it('finds the one call that can have a slot behind any number that cannot', () => {
    const { router } = routerOf({
      nodes: [
        { name: 'plan', agents: ['planner'] },
        { name: 'eu', tags: ['eu'], agents: ['critic'] },
      ],
    });
    assigned(router, { ...history('a', 3), agentName: 'planner' });
    const planner = { ...history('b', 3), agentName: 'planner' };
    const waiting: Waiting[] = Array.from({ length: 100 }, () => ({ request: planner, passedOver: 0 }));
    waiting.push({ request: { ...history('c', 3), agentName: 'critic' }, passedOver: 0 });
    expect(router.assignNext(waiting)).toMatchObject({ index: 100, assignment: { node: 'eu' } });
  });
});

/** A router that has seen a token take a millisecond, and a history of 8 blocks (512 tokens) at a node with one slot. */
function withHome() {
  const { router, clock } = routerOf({ nodes: nodes(2, 1) });
  const { node, firstOutput, end } = assigned(router, history('a', 8));
  clock.ms += 512 + 32;
  firstOutput();
  end({ result: 'ok' });
  const next = { ...history('a', 9), since: clock.ms };
  return { router, clock, home: node, next };
}

/** Fills a node that nothing but its slot is wanted of. */
const fill = (router: NodeRouter, home: string) =>
  assigned(router, { ...history('b', 1), exclude: new Set(['n0', 'n1'].filter(name => name !== home)) });

function waiterOf(router: NodeRouter, request: RouteRequest, ahead: Waiting[] = []): Waiting {
  const result = router.assign(request, ahead);
  if (result.node !== undefined) throw new Error(`was sent to ${result.node}`);
  return { request, passedOver: 0, waitsFor: result.waitsFor };
}

describe('a call whose node is full while others have room', () => {
  it('waits for it, at most as long as a move would cost this call and others, and is told', () => {
    const { router, clock, home, next } = withHome();
    fill(router, home);
    const waiter = waiterOf(router, next);
    expect(waiter.waitsFor?.node).toBe(home);
    const until = waiter.waitsFor?.until ?? 0;
    expect(until - clock.ms).toBeCloseTo(3 * 512);
    expect(router.nextLookAt([waiter])).toBe(until);
    expect(router.assignNext([waiter])).toBeUndefined();
    clock.ms = until + 1;
    expect(router.nextLookAt([waiter])).toBe(until);
    const moved = router.assignNext([waiter])?.assignment;
    expect(router.nextLookAt([waiter])).toBeUndefined();
    expect(moved).toMatchObject({ reasons: { why: 'moved', cachedTokens: 0 } });
    expect(moved?.node).not.toBe(home);
  });

  it('gets it when it has room again', () => {
    const { router, clock, home, next } = withHome();
    const { end } = fill(router, home);
    const waiter = waiterOf(router, next);
    clock.ms += 100;
    end({ result: 'ok' });
    expect(router.assignNext([waiter])?.assignment).toMatchObject({
      node: home,
      reasons: { why: 'waited', cachedTokens: 512 },
    });
  });

  it('waits no longer when that node goes out', () => {
    const { router, home, next } = withHome();
    fill(router, home);
    const waiter = waiterOf(router, next);
    router.setHealth(home, false);
    expect(router.assignNext([waiter])?.assignment.node).not.toBe(home);
  });

  it('does not wait when it cannot, nor for what another one waits for already', () => {
    const { router, home, next } = withHome();
    fill(router, home);
    const waiter = waiterOf(router, next);
    const { since: _, ...hurried } = next;
    const second = assigned(router, hurried);
    expect(second.node).not.toBe(home);
    second.end({ result: 'none' });
    const result = router.assign(next, [waiter]);
    expect(result.node).toBeDefined();
    expect(result.node).not.toBe(home);
  });
});

describe('a call whose prompt is in use where there is room', () => {
  it('waits for the end of that use, at most as long as evaluating it again would take', () => {
    const { router, clock } = routerOf({ nodes: nodes(1, 2) });
    const first = assigned(router, history('a', 8));
    clock.ms += 512 + 32;
    first.firstOutput();
    const waiter = waiterOf(router, { ...history('a', 9), since: clock.ms });
    expect((waiter.waitsFor?.until ?? 0) - clock.ms).toBeCloseTo(512);
    expect(router.assignNext([waiter])).toBeUndefined();
    first.end({ result: 'ok' });
    expect(router.assignNext([waiter])?.assignment.reasons).toMatchObject({
      why: 'waited',
      cachedTokens: 512,
    });
  });
});

describe('a queue that is looked at whenever the router says so', () => {
  const step = fc.record({
    agent: fc.integer({ min: 0, max: 5 }),
    turns: fc.integer({ min: 1, max: 12 }),
    ms: fc.integer({ min: 0, max: 800 }),
    ends: fc.option(fc.nat(20)),
  });

  it('lets no call wait that has waited for what its prompt is worth while a node has room', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const { router, clock } = routerOf({ nodes: nodes(3, 2) });
        const waiting: Waiting[] = [];
        const open: { firstOutput(): void; end(outcome: { result: 'ok' }): void }[] = [];
        const serve = () => {
          for (;;) {
            const next = router.assignNext(waiting);
            if (!next) return;
            waiting.splice(next.index, 1);
            open.push(next.assignment);
          }
        };
        for (const { agent, turns, ms, ends } of steps) {
          const request = { ...history(`a${agent}`, turns), since: clock.ms };
          const result = router.assign(request, waiting);
          if (result.node !== undefined) open.push(result);
          else waiting.push({ request, passedOver: 0, waitsFor: result.waitsFor });
          const endsAt = clock.ms + ms;
          for (let at = router.nextLookAt(waiting); at !== undefined && at < endsAt; ) {
            clock.ms = Math.max(at, clock.ms);
            serve();
            at = router.nextLookAt(waiting);
          }
          clock.ms = endsAt;
          if (ends !== null && open.length > 0) {
            const [call] = open.splice(ends % open.length, 1);
            call?.firstOutput();
            call?.end({ result: 'ok' });
          }
          serve();
          const hasRoom = router.snapshot().some(node => node.busySlots < node.slots);
          for (const { waitsFor } of hasRoom ? waiting : []) {
            expect(waitsFor?.until).toBeGreaterThan(clock.ms);
          }
        }
      }),
    );
  });
});
