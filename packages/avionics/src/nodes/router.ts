import type { EjectionOptions, EjectionState } from './ejection.ts';
import { NodeState, type RouterNode } from './node-state.ts';
import type { PromptPrefix } from './prefix.ts';
import type {
  Assignment,
  NodeSnapshot,
  Refusal,
  RouteReasons,
  RouteRequest,
  RouteResult,
  Waiting,
} from './route.ts';
import { type Candidate, choose, type Selection, type Strategy } from './strategies.ts';

export interface NodeRouterOptions extends EjectionOptions {
  nodes: readonly RouterNode[];
  /** Default `balanced`. */
  strategy?: Strategy;
  /** With `balanced`: no node gets more than this many times its share of the calls in flight; at least 1. Default 1.25. */
  loadCap?: number;
  /** Milliseconds on a clock that never goes back. */
  now: () => number;
  /** 0 ≤ x < 1. */
  random: () => number;
}

/** Waiting calls looked at when a slot is free. */
const QUEUE_WINDOW = 32;
/** A call that has been passed over this often goes first. */
const MAX_PASSED_OVER = 8;
/** A node that has not been heard of for so long counts half as itself, half as the average node; milliseconds. */
const STALE_MS = 30_000;
/** How much later than expected a node that always fails is taken to answer, as a factor. */
const FAILURE_WEIGHT = 4;

/**
 * Decides which node gets a call. Knows nodes by what is told to it, does no I/O and keeps no timer: the same code
 * runs in the pool and in the simulator.
 */
export class NodeRouter {
  readonly strategy: Strategy;
  readonly #nodes: Map<string, NodeState>;
  readonly #loadCap: number;
  readonly #now: () => number;
  readonly #random: () => number;
  /** Calls routed so far. */
  #turn = 0;

  constructor(options: NodeRouterOptions) {
    this.strategy = options.strategy ?? 'balanced';
    this.#loadCap = Math.max(1, options.loadCap ?? 1.25);
    this.#now = options.now;
    this.#random = options.random;
    this.#nodes = new Map(options.nodes.map(node => [node.name, new NodeState(node, options)]));
  }

  /** Gives a call to a node, or says why it cannot. */
  assign(request: RouteRequest): RouteResult {
    const selected = this.#select(request);
    return typeof selected === 'string' ? { refused: selected } : this.#start(request, selected);
  }

  /**
   * Gives a slot to one of the calls that wait, given oldest first: with `balanced` to the one whose prompt is best
   * known where there is room, else to the first that can have one. No call is passed over for ever.
   * @returns undefined when none can have a slot now
   */
  assignNext(waiting: readonly Waiting[]): { index: number; assignment: Assignment } | undefined {
    // The usual case when the queue is long: not worth asking for each call in it.
    if (![...this.#nodes.values()].some(hasRoom)) return undefined;
    let best: { index: number; selected: Selected; share: number } | undefined;
    for (const [index, { request, passedOver }] of waiting.entries()) {
      if (best && index >= QUEUE_WINDOW) break;
      const selected = this.#select(request);
      if (typeof selected === 'string') continue;
      const share = selected.cachedTokens / Math.max(1, request.prefix.tokens);
      const mustGo = this.strategy !== 'balanced' || passedOver >= MAX_PASSED_OVER;
      if (!best || mustGo || share > best.share) best = { index, selected, share };
      if (mustGo) break;
    }
    if (!best) return undefined;
    const { index, selected } = best;
    for (const earlier of waiting.slice(0, index)) earlier.passedOver++;
    const { request } = waiting[index] as Waiting;
    return { index, assignment: this.#start(request, selected) };
  }

  /** The nodes for such a call, whether they have room or not; those that take calls come first. */
  namesFor(request: Omit<RouteRequest, 'prefix'>): string[] {
    const now = this.#now();
    const matching = [...this.#nodes.values()].filter(node => matches(node, request));
    const out = matching.filter(node => node.state(now) === 'out').sort(byBadness);
    return [...matching.filter(node => node.state(now) !== 'out'), ...out].map(({ spec }) => spec.name);
  }

  /** What a health check or an operator has found out. A node that comes back has lost what it held. */
  setHealth(name: string, healthy: boolean): void {
    const node = this.#nodes.get(name);
    if (!node || node.healthy === healthy) return;
    node.healthy = healthy;
    if (healthy) node.ejection.endAt(this.#now());
    else node.cache.clear();
  }

  /** What has been seen of a node: its slots, and how many of them others keep busy. */
  observe(name: string, { slots, elsewhere }: { slots?: number; elsewhere?: number }): void {
    const node = this.#nodes.get(name);
    if (!node) return;
    if (slots !== undefined) node.slots = Math.max(1, slots);
    if (elsewhere !== undefined) node.elsewhere = Math.max(0, elsewhere);
  }

  /** Our calls at a node that have not ended. */
  inFlight(name: string): number {
    return this.#nodes.get(name)?.inFlight ?? 0;
  }

  /** Milliseconds until an ejected node may be tried again; 0: it may be now. */
  ejectedForMs(name: string): number {
    return Math.max(0, (this.#nodes.get(name)?.ejection.until ?? 0) - this.#now());
  }

  /** `in` and `probing` may take calls. */
  state(name: string): EjectionState | undefined {
    return this.#nodes.get(name)?.state(this.#now());
  }

  /** When the next ejected node may be tried again; undefined: none is out. Calls that wait may be given to it then. */
  nextReturnAt(): number | undefined {
    const now = this.#now();
    const ends = [...this.#nodes.values()].map(node => node.ejection.until).filter(until => until > now);
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  snapshot(): NodeSnapshot[] {
    const now = this.#now();
    return [...this.#nodes.values()].map(node => {
      const { value: firstOutputMs } = node.firstOutputMs;
      const { value: latencyMs } = node.latencyMs;
      return {
        name: node.spec.name,
        state: node.state(now),
        slots: node.slots,
        busySlots: node.load,
        inFlight: node.inFlight,
        heldBlocks: node.cache.size,
        errorRate: node.errorRate.value ?? 0,
        ...(firstOutputMs === undefined ? {} : { firstOutputMs }),
        ...(latencyMs === undefined ? {} : { latencyMs }),
      };
    });
  }

  #select(request: RouteRequest): Selected | Refusal {
    const now = this.#now();
    const usable = this.#usable(request, now);
    if (typeof usable === 'string') return usable;
    const { nodes, free, why } = usable;
    const [first] = free;
    if (!first) return 'saturated';
    const averageMs = this.#averageMsPerToken();
    const candidate = (node: NodeState) => candidateOf(node, request.prefix, averageMs, now);
    const { strategy } = this;
    const options = { strategy, loadCap: this.#loadCap, random: this.#random, turn: this.#turn };
    const selection = why ? { ...candidate(first), why } : choose({ ...options, nodes, free, candidate });
    return selection ? { ...selection, candidates: free.length } : 'saturated';
  }

  /** The nodes a call may use: one on probation alone, or those that are in, or, when there are none, all. */
  #usable(request: RouteRequest, now: number): Usable | Refusal {
    const { exclude } = request;
    const matching = [...this.#nodes.values()].filter(node => matches(node, request));
    if (matching.length === 0) return 'unmatched';
    const allowed = exclude?.size ? matching.filter(node => !exclude.has(node.spec.name)) : matching;
    if (allowed.length === 0) return 'excluded';
    const probed = allowed.filter(
      node => node.state(now) === 'probing' && node.inFlight < node.ejection.probes,
    );
    if (probed.length > 0) return { nodes: allowed, free: probed, why: 'probe' };
    const nodes = allowed.filter(node => node.state(now) === 'in');
    if (nodes.length > 0) return { nodes, free: nodes.filter(hasRoom) };
    return { nodes: allowed, free: allowed.filter(hasRoom).sort(byBadness), why: 'least_bad' };
  }

  /** Of all nodes that have been measured; 1 before the first. */
  #averageMsPerToken(): number {
    let sum = 0;
    let count = 0;
    for (const { msPerToken } of this.#nodes.values()) {
      if (msPerToken.value === undefined) continue;
      sum += msPerToken.value;
      count++;
    }
    return count === 0 ? 1 : sum / count;
  }

  #start({ prefix }: RouteRequest, selected: Selected): Assignment {
    const { node, cachedTokens, expectedMs, why, loadLimit, candidates } = selected;
    const measured = node.msPerToken.value !== undefined;
    const reasons: RouteReasons = {
      strategy: this.strategy,
      why,
      promptTokens: prefix.tokens,
      cachedTokens,
      busySlots: node.load,
      slots: node.slots,
      ...(loadLimit === undefined ? {} : { loadLimit }),
      ...(measured ? { expectedFirstOutputMs: expectedMs } : {}),
      candidates,
    };
    const call = node.begin(prefix, cachedTokens, this.#now());
    this.#turn++;
    return {
      node: node.spec.name,
      reasons,
      firstOutput: () => call.firstOutput(this.#now()),
      end: outcome => call.end(outcome, this.#now()),
    };
  }
}

type Selected = Selection & { candidates: number };

interface Usable {
  nodes: NodeState[];
  /** Those of them that have room. */
  free: NodeState[];
  /** Why it is the first of `free`, and no choice. */
  why?: 'probe' | 'least_bad';
}

function hasRoom(node: NodeState): boolean {
  return node.load < node.slots;
}

function matches({ spec }: NodeState, { agentName, tags, model }: Omit<RouteRequest, 'prefix'>): boolean {
  if (spec.agents && (agentName === undefined || !spec.agents.includes(agentName))) return false;
  if (model !== undefined && spec.model !== undefined && spec.model !== model) return false;
  return tags?.every(tag => spec.tags?.includes(tag)) ?? true;
}

function candidateOf(node: NodeState, prefix: PromptPrefix, averageMs: number, now: number): Candidate {
  const cachedTokens = node.cachedTokens(prefix);
  const own = node.msPerToken.value ?? averageMs;
  const fresh = 0.5 ** ((now - node.heardAt) / STALE_MS);
  const msPerToken = averageMs + (own - averageMs) * fresh;
  const failing = 1 + FAILURE_WEIGHT * fresh * (node.errorRate.value ?? 0);
  return { node, cachedTokens, expectedMs: node.work(prefix.tokens - cachedTokens) * msPerToken * failing };
}

/** Healthy before unhealthy, then whose time out ends first, then whose calls fail less. */
function byBadness(a: NodeState, b: NodeState): number {
  return (
    Number(b.healthy) - Number(a.healthy) ||
    a.ejection.until - b.ejection.until ||
    (a.errorRate.value ?? 0) - (b.errorRate.value ?? 0)
  );
}
