import { type Candidate, OTHERS_WEIGHT } from './candidate.ts';
import type { NodeState } from './node-state.ts';
import type { HomeWait, RouteReasons } from './route.ts';

/**
 * `round_robin`: one after the other. `least_busy`: the smallest share of busy slots. `affinity`: whoever holds the
 * most of the prompt, waiting for it if need be. `balanced`: whoever costs this call and those after it the least,
 * knowing what each holds, none far above the mean load; and waiting for the one that holds the most, as long as
 * that is worth.
 */
export const STRATEGIES = ['round_robin', 'least_busy', 'affinity', 'balanced'] as const;
/** How a node is chosen. */
export type Strategy = (typeof STRATEGIES)[number];

export interface Selection extends Candidate {
  why: RouteReasons['why'];
  loadLimit?: number;
}

export interface Choice {
  strategy: Strategy;
  /** All nodes the call may use, and those of them that have room; at least one of each. */
  nodes: readonly NodeState[];
  free: readonly NodeState[];
  /** What the call would find at a node. */
  candidate: (node: NodeState) => Candidate;
  /** Tokens of the call's prompt that a node should hold once the calls that run have ended. */
  comingTokens: (node: NodeState) => number;
  /** Whether another call waits for the same part of its prompt, at that node. */
  isAwaited: (node: NodeState) => boolean;
  loadCap: number;
  random: () => number;
  /** Calls routed so far. */
  turn: number;
  now: number;
  /** When a call came that may wait for a node; see {@link RouteRequest.since}. */
  since: number | undefined;
  /** Milliseconds for a token of work, as is usual among the nodes; undefined before the first is measured. */
  msPerToken: number | undefined;
}

/** Share of a node's slots that the load cap does not keep free. */
const ALWAYS = 0.75;
/** Times apart by less than this factor are as good as the same. */
const SAME = 1.1;

/** @returns a node that has room, or one that has none and is worth waiting for */
export function choose(choice: Choice): Selection | HomeWait {
  const { nodes, free, candidate, comingTokens, random } = choice;
  switch (choice.strategy) {
    case 'round_robin':
      return { ...candidate(inTurn(choice)), why: 'turn' };
    case 'least_busy':
      return { ...candidate(least(free, random, busyShare)), why: 'load' };
    case 'affinity': {
      const { node } = fullest(nodes, comingTokens);
      if (!node) return { ...candidate(least(free, random, heldBlocks)), why: 'load' };
      if (node.hasRoom) return { ...candidate(node), why: 'prefix' };
      return { node: node.spec.name, until: Number.POSITIVE_INFINITY };
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
 * in proportion to slots, some node that has room is always under its limit. Some of its slots a node may always use:
 * where hardly anything is going on, the share of one call is no measure.
 */
function balanced(choice: Choice): Selection | HomeWait {
  const { nodes, free, candidate, loadCap, random } = choice;
  let calls = 1;
  let slots = 0;
  for (const node of nodes) {
    calls += node.load;
    slots += node.slots;
  }
  const limitOf = (node: NodeState) =>
    Math.max(Math.ceil(node.slots * ALWAYS), Math.ceil((loadCap * calls * node.slots) / slots));
  const allowed = free.filter(node => node.load < limitOf(node)).map(candidate);
  const most = allowed.reduce((max, { cachedTokens }) => Math.max(max, cachedTokens), 0);
  const home = homeWorthWaitingFor(choice, most);
  if (home) return home;
  const lowest = allowed.reduce((min, { price }) => Math.min(min, price), Number.POSITIVE_INFINITY);
  const good = allowed.filter(({ price }) => price <= lowest * SAME);
  const node = least(
    good.map(one => one.node),
    random,
    busyShare,
    heldBlocks,
  );
  const chosen = good.find(one => one.node === node) as Candidate;
  const why = most > 0 && chosen.cachedTokens === most ? 'prefix' : 'load';
  return { ...chosen, why, loadLimit: limitOf(node) };
}

/**
 * A call that finds its node full, or what that holds of its prompt in use, does not know how long that lasts. It waits
 * for as long as evaluating those tokens elsewhere would take, and then moves: so it never loses more than twice what
 * it would have, had it known (the ski-rental problem). At a full node a move's price for others counts, too; where
 * the prompt is in use another copy of it is worth something. One call waits for a thing: a second one shows that
 * more copies are wanted.
 * @param elsewhere tokens of the prompt that a node with room holds
 */
function homeWorthWaitingFor(choice: Choice, elsewhere: number): HomeWait | undefined {
  const { nodes, candidate, comingTokens, isAwaited, now, since, msPerToken } = choice;
  if (since === undefined || msPerToken === undefined) return undefined;
  const { node, tokens } = fullest(nodes, comingTokens);
  if (!node || tokens <= elsewhere) return undefined;
  // Only its load speaks against it, and that may last.
  if (node.hasRoom && candidate(node).cachedTokens === tokens) return undefined;
  const worth = node.hasRoom ? 1 : 1 + OTHERS_WEIGHT;
  const until = since + worth * (tokens - elsewhere) * msPerToken;
  return now < until && !isAwaited(node) ? { node: node.spec.name, until } : undefined;
}

/** The node that holds the most of a prompt; none where all hold nothing. */
function fullest(
  nodes: readonly NodeState[],
  tokensAt: (node: NodeState) => number,
): { node?: NodeState; tokens: number } {
  let best: { node?: NodeState; tokens: number } = { tokens: 0 };
  for (const node of nodes) {
    const tokens = tokensAt(node);
    if (tokens > best.tokens) best = { node, tokens };
  }
  return best;
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
