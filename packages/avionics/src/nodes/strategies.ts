import type { NodeState } from './node-state.ts';

/**
 * `round_robin`: one after the other. `least_busy`: the smallest share of busy slots. `affinity`: whoever holds the
 * most of the prompt, waiting for it if need be. `balanced`: whoever will answer soonest, knowing what each holds, and
 * none far above the mean load.
 */
export const STRATEGIES = ['round_robin', 'least_busy', 'affinity', 'balanced'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** A node as one call sees it. */
export interface Candidate {
  node: NodeState;
  /** Tokens of the prompt it should hold. */
  cachedTokens: number;
  /** Milliseconds to the first output, expected; comparable even where nothing has been measured. */
  expectedMs: number;
}

export interface Selection extends Candidate {
  why: 'prefix' | 'load' | 'turn' | 'probe' | 'least_bad';
  loadLimit?: number;
}

export interface Choice {
  strategy: Strategy;
  /** All nodes the call may use, and those of them that have room; at least one of each. */
  nodes: readonly NodeState[];
  free: readonly NodeState[];
  /** What the call would find at a node. */
  candidate: (node: NodeState) => Candidate;
  loadCap: number;
  random: () => number;
  /** Calls routed so far. */
  turn: number;
}

/** Times apart by less than this factor are as good as the same. */
const SAME = 1.1;

/** @returns undefined when the call has to wait for a certain node */
export function choose(choice: Choice): Selection | undefined {
  const { nodes, free, candidate, random } = choice;
  switch (choice.strategy) {
    case 'round_robin':
      return { ...candidate(inTurn(choice)), why: 'turn' };
    case 'least_busy':
      return { ...candidate(least(free, random, busyShare)), why: 'load' };
    case 'affinity': {
      const all = nodes.map(candidate);
      const most = Math.max(...all.map(({ cachedTokens }) => cachedTokens));
      if (most === 0) return { ...candidate(least(free, random, heldBlocks)), why: 'load' };
      const best = all.find(({ cachedTokens }) => cachedTokens === most);
      return best && free.includes(best.node) ? { ...best, why: 'prefix' } : undefined;
    }
    case 'balanced':
      return balanced(choice);
  }
}

/** The next with room, counted from the place whose turn it is. */
function inTurn({ nodes, free, turn }: Choice): NodeState {
  const start = turn % nodes.length;
  const inOrder = [...nodes.slice(start), ...nodes.slice(0, start)];
  return inOrder.find(node => free.includes(node)) as NodeState;
}

/**
 * The limit of a node is its share, by slots, of all calls in flight, this one included, times the cap: as in
 * consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016). With a cap of at least 1, and limits
 * in proportion to slots, some node that has room is always under its limit.
 */
function balanced({ nodes, free, candidate, loadCap, random }: Choice): Selection {
  let calls = 1;
  let slots = 0;
  for (const node of nodes) {
    calls += node.load;
    slots += node.slots;
  }
  const limitOf = (node: NodeState) => Math.ceil((loadCap * calls * node.slots) / slots);
  const allowed = free.filter(node => node.load < limitOf(node)).map(candidate);
  const soonest = Math.min(...allowed.map(({ expectedMs }) => expectedMs));
  const good = allowed.filter(({ expectedMs }) => expectedMs <= soonest * SAME);
  const node = least(
    good.map(one => one.node),
    random,
    busyShare,
    heldBlocks,
  );
  const chosen = good.find(one => one.node === node) as Candidate;
  const most = Math.max(...allowed.map(({ cachedTokens }) => cachedTokens));
  const why = most > 0 && chosen.cachedTokens === most ? 'prefix' : 'load';
  return { ...chosen, why, loadLimit: limitOf(node) };
}

type Measure = (node: NodeState) => number;

const heldBlocks: Measure = node => node.cache.size;

const busyShare: Measure = node => node.load / node.slots;

/** The smallest by the first measure, then by the second; one of several at random. */
function least(
  nodes: readonly NodeState[],
  random: () => number,
  measure: Measure,
  then: Measure = () => 0,
): NodeState {
  let best: NodeState[] = [];
  let first = Number.POSITIVE_INFINITY;
  let second = Number.POSITIVE_INFINITY;
  for (const node of nodes) {
    const [one, two] = [measure(node), then(node)];
    const difference = one - first || two - second;
    if (difference > 0) continue;
    if (difference === 0) {
      best.push(node);
      continue;
    }
    best = [node];
    first = one;
    second = two;
  }
  return best[Math.floor(random() * best.length)] as NodeState;
}
