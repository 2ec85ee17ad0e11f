import type { RouterNode } from '../src/nodes/node-state.ts';
import { BLOCK_CHARS, prefixOfText } from '../src/nodes/prefix.ts';
import type { Assignment, RouteRequest } from '../src/nodes/route.ts';
import { NodeRouter, type NodeRouterOptions } from '../src/nodes/router.ts';

/** A router on a clock that stands still until the test moves it. */
export function routerOf(options: Partial<NodeRouterOptions> & Pick<NodeRouterOptions, 'nodes'>): {
  clock: { ms: number };
  router: NodeRouter;
} {
  const clock = { ms: 1_000 };
  let seed = 1;
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  return { clock, router: new NodeRouter({ now: () => clock.ms, random, ...options }) };
}

/** Nodes `n0`, `n1` and so on. */
export const nodes = (count: number, slots = 2): RouterNode[] =>
  Array.from({ length: count }, (_, index) => ({ name: `n${index}`, slots }));

/** A history of so many turns of one block each, of one agent. */
export const history = (agent: string, turns: number): RouteRequest => ({
  prefix: prefixOfText(
    Array.from({ length: turns }, (_, turn) => `${agent}${turn} `.padEnd(BLOCK_CHARS, 'x')).join(''),
  ),
});

/** Gives a call to a node that there must be. */
export function assigned(router: NodeRouter, request: RouteRequest): Assignment {
  const result = router.assign(request);
  if (result.node === undefined) throw new Error(`refused: ${result.refused}`);
  return result;
}
