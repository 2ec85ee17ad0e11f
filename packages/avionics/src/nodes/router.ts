import { candidateOf } from './candidate.ts';
import type { EjectionOptions, EjectionState } from './ejection.ts';
import { Holders } from './holders.ts';
import { snapshotOf } from './node-snapshot.ts';
import { NodeState, Rate, type RouterNode } from './node-state.ts';
import type { PromptPrefix } from './prefix.ts';
import type {
  Assignment,
  HomeWait,
  NodeSnapshot,
  Refusal,
  Refused,
  RouteReasons,
  RouteRequest,
  RouteResult,
  Waiting,
} from './route.ts';
import { choose, type Selection, type Strategy } from './strategies.ts';
import { byBadness, isFor, matches, usableNodes } from './usable.ts';

/** What {@link NodeRouter} takes. */
export interface NodeRouterOptions extends EjectionOptions {
  nodes: readonly RouterNode[];
  /** Default `balanced`. */
  strategy?: Strategy;
  /** With `balanced`: no node gets more than this many times its share of the calls in flight; at least 1. Default 2. */
  loadCap?: number;
  /** Milliseconds on a clock that never goes back. */
  now: () => number;
  /** 0 ≤ x < 1. */
  random: () => number;
}

/** Of the calls that could have a slot, so many are compared when one is free. */
const QUEUE_WINDOW = 32;
/** A call that has been passed over this often goes first. */
const MAX_PASSED_OVER = 8;
/** Weight of a new sample in what is usual among all nodes. */
const SAMPLE_OF_ALL = 0.02;

/**
 * Decides which node gets a call. Knows nodes by what is told to it, does no I/O and keeps no timer: the same code
 * runs in the pool and in the simulator.
 */
export class NodeRouter {
  readonly strategy: Strategy;
  readonly #nodes = new Map<string, NodeState>();
  readonly #ejection: EjectionOptions;
  readonly #loadCap: number;
  readonly #now: () => number;
  readonly #random: () => number;
  /** Milliseconds to the first output for each token of work, of all nodes together. */
  readonly #msPerToken: Rate = new Rate(SAMPLE_OF_ALL);
  readonly #holders: Holders<NodeState> = new Holders();
  /** Calls routed so far. */
  #turn = 0;
  /** When the calls that wait were looked at last. */
  #lookedAt: number;

  constructor(options: NodeRouterOptions) {
    const { nodes, strategy = 'balanced', loadCap = 2, now, random, ...ejection } = options;
    this.strategy = strategy;
    this.#loadCap = Math.max(1, loadCap);
    this.#now = now;
    this.#lookedAt = now();
    this.#random = random;
    this.#ejection = ejection;
    this.update(nodes);
  }

  /**
   * Puts other nodes in the place of those there are. One of the same name and address stays, with its calls and all
   * that is known of it; what else is said of it anew holds for calls from now on. Calls at the others end as they would.
   */
  update(nodes: readonly RouterNode[]): void {
    const before = new Map(this.#nodes);
    this.#nodes.clear();
    for (const spec of nodes) {
      const known = before.get(spec.name);
      const stays = known?.spec.baseUrl === spec.baseUrl ? known : undefined;
      stays?.respecify(spec);
      this.#nodes.set(spec.name, stays ?? this.#newState(spec));
    }
    for (const [name, node] of before) if (this.#nodes.get(name) !== node) node.retire();
  }

  /** Why such a call has no place here, however long it waits; undefined: it has one. */
  refusal(request: RouteRequest): Exclude<Refusal, 'saturated'> | undefined {
    const usable = usableNodes(this.#nodes.values(), request, this.#now());
    return typeof usable === 'string' ? usable : undefined;
  }

  /**
   * Gives a call to a node, or says why it cannot.
   * @param waiting the calls that wait already
   */
  assign(request: RouteRequest, waiting: readonly Waiting[] = []): RouteResult {
    const selected = this.#select(request, waiting);
    return 'refused' in selected ? selected : this.#start(request, selected);
  }

  /**
   * Gives a slot to one of the calls that wait, given oldest first: with `balanced` to the one whose prompt is best
   * known where there is room, else to the first that can have one. No call is passed over for ever.
   * @returns undefined when none can have a slot now
   */
  assignNext(waiting: readonly Waiting[]): { index: number; assignment: Assignment } | undefined {
    this.#lookedAt = this.#now();
    const roomy = [...this.#nodes.values()].filter(({ hasRoom }) => hasRoom);
    if (roomy.length === 0) return undefined;
    let best: { index: number; selected: Selected; share: number } | undefined;
    let compared = 0;
    for (const [index, waiter] of waiting.entries()) {
      const { request, passedOver } = waiter;
      // Cheap questions first: most calls of a long queue can be left alone.
      if (this.#stillWaits(waiter) || !roomy.some(node => isFor(node, request))) continue;
      const selected = this.#select(request, waiting.slice(0, index), waiter.waitsFor);
      if ('refused' in selected) {
        waiter.waitsFor = selected.waitsFor;
        continue;
      }
      const share = selected.cachedTokens / Math.max(1, request.prefix.tokens);
      const mustGo = this.strategy !== 'balanced' || passedOver >= MAX_PASSED_OVER;
      if (!best || mustGo || share > best.share) best = { index, selected, share };
      if (mustGo || ++compared >= QUEUE_WINDOW) break;
    }
    if (!best) return undefined;
    const { index, selected } = best;
    for (const earlier of waiting.slice(0, index)) if (!this.#stillWaits(earlier)) earlier.passedOver++;
    const { request } = waiting[index] as Waiting;
    return { index, assignment: this.#start(request, selected) };
  }

  /**
   * When the calls that wait can have something without a slot becoming free: a node is out no longer, or one of them
   * has waited for its node long enough. It may be over already. undefined: never.
   */
  nextLookAt(waiting: readonly Waiting[]): number | undefined {
    let next = Number.POSITIVE_INFINITY;
    // Not what is still to come now, but what was when they were looked at: else the time between would be lost.
    const consider = (at = 0) => {
      if (at > this.#lookedAt && at < next) next = at;
    };
    for (const { ejection } of this.#nodes.values()) consider(ejection.until);
    for (const { waitsFor } of waiting) consider(waitsFor?.until);
    return next === Number.POSITIVE_INFINITY ? undefined : next;
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

  /** What is known of each node now. */
  snapshot(): Omit<NodeSnapshot, 'baseUrl'>[] {
    const now = this.#now();
    return [...this.#nodes.values()].map(node => snapshotOf(node, now));
  }

  #newState(spec: RouterNode): NodeState {
    return new NodeState(spec, this.#ejection, this.#msPerToken, this.#holders);
  }

  /**
   * @param ahead the calls that have waited for longer
   * @param waitedFor what it has waited for until now
   */
  #select(request: RouteRequest, ahead: readonly Waiting[], waitedFor?: HomeWait): Selected | Refused {
    const now = this.#now();
    const usable = usableNodes(this.#nodes.values(), request, now);
    if (typeof usable === 'string') return { refused: usable };
    const { nodes, free, why } = usable;
    const [first] = free;
    if (!first) return { refused: 'saturated' };
    const { prefix, since } = request;
    const msPerToken = this.#msPerToken.value;
    const holders = this.#holders.of(prefix.hashes[0]);
    const { tokens } = prefix;
    const candidate = (node: NodeState) => {
      const cachedTokens = holders.has(node) ? node.cachedTokens(prefix) : 0;
      return candidateOf(node, { tokens, cachedTokens }, msPerToken ?? 1, now);
    };
    if (why) return { ...candidate(first), why, candidates: free.length };
    const chosen = choose({
      strategy: this.strategy,
      nodes,
      free,
      candidate,
      comingTokens: node => (holders.has(node) ? node.comingTokens(prefix) : 0),
      isAwaited: node => this.#isAwaited(node, prefix, ahead),
      loadCap: this.#loadCap,
      random: this.#random,
      turn: this.#turn,
      now,
      since,
      msPerToken,
    });
    if ('until' in chosen) return { refused: 'saturated', waitsFor: chosen };
    if (waitedFor) chosen.why = waitedFor.node === chosen.node.spec.name ? 'waited' : 'moved';
    return { ...chosen, candidates: free.length };
  }

  /** Whether nothing has changed for a call that waits for a certain node. */
  #stillWaits({ waitsFor, request: { prefix } }: Waiting): boolean {
    if (!waitsFor) return false;
    const now = this.#now();
    const node = this.#nodes.get(waitsFor.node);
    if (!node || now >= waitsFor.until || node.state(now) !== 'in') return false;
    if (!node.hasRoom) return true;
    return this.strategy === 'balanced' && node.cachedTokens(prefix) < node.comingTokens(prefix);
  }

  #isAwaited(node: NodeState, { hashes }: PromptPrefix, ahead: readonly Waiting[]): boolean {
    const last = node.cache.coming(hashes) - 1;
    return ahead.some(
      ({ waitsFor, request }) =>
        waitsFor?.node === node.spec.name &&
        waitsFor.until > this.#now() &&
        request.prefix.hashes[last] === hashes[last],
    );
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
    const call = node.begin(prefix, this.#now(), why === 'prefix' || why === 'waited');
    this.#turn++;
    const nodes = this.#nodes;
    return {
      node: node.spec.name,
      get removed() {
        return nodes.get(node.spec.name) !== node;
      },
      reasons,
      firstOutput: () => call.firstOutput(this.#now()),
      end: outcome => call.end(outcome, this.#now()),
    };
  }
}

type Selected = Selection & { candidates: number };
