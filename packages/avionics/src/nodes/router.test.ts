import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_CHARS, prefixOfText } from './prefix.ts';
import type { Assignment, RouteRequest } from './route.ts';
import { NodeRouter, type NodeRouterOptions } from './router.ts';
import { STRATEGIES } from './strategies.ts';

/** A router on a clock that stands still until the test moves it. */
function routerOf(options: Partial<NodeRouterOptions> & Pick<NodeRouterOptions, 'nodes'>) {
  const clock = { ms: 1_000 };
  return { clock, router: new NodeRouter({ now: () => clock.ms, random: () => 0.5, ...options }) };
}

const nodes = (count: number, slots = 2) =>
  Array.from({ length: count }, (_, index) => ({ name: `n${index}`, slots }));

/** A history of so many turns of one block each, of one agent. */
const history = (agent: string, turns: number): RouteRequest => ({
  prefix: prefixOfText(
    Array.from({ length: turns }, (_, turn) => `${agent}${turn} `.padEnd(BLOCK_CHARS, 'x')).join(''),
  ),
});

function assigned(router: NodeRouter, request: RouteRequest): Assignment {
  const result = router.assign(request);
  if (result.node === undefined) throw new Error(`refused: ${result.refused}`);
  return result;
}

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
          const limit = Math.ceil((1.25 * open.length * result.reasons.slots) / total);
          expect(open.filter(({ node }) => node === result.node).length).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });
});
