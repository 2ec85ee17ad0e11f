import { randomUUID } from 'node:crypto';
import { type Adapter, AirframeError, type InferenceRequest, llamaServerAdapter } from '@x/airframe';
import { type Logger, loggerOf } from '../logger.ts';
import { defined } from '../providers/options.ts';
import type { ReplicaStore } from '../store/replica-store.ts';
import type { EjectionOptions } from './ejection.ts';
import { noNode, noNodeNow } from './no-node.ts';
import type { RouteOutcome } from './node-state.ts';
import { NodeWatch } from './node-watch.ts';
import { promptPrefix } from './prefix.ts';
import { byName, changesOf, checkNodeProfiles, type NodeProfile } from './profiles.ts';
import type { Assignment, NodeSnapshot, RouteReasons, RouteRequest } from './route.ts';
import { NodeRouter } from './router.ts';
import { SharedState } from './shared-state.ts';
import { type SlotClaim, SlotClaims } from './slot-claims.ts';
import type { Strategy } from './strategies.ts';
import { inAHurry, type WaitOptions, WaitQueue } from './wait-queue.ts';

/** What {@link NodePool} takes beside the nodes. */
export interface NodePoolOptions extends EjectionOptions {
  /** Default `balanced`. */
  strategy?: Strategy;
  /** No node gets more than this many times its share of the calls in flight; at least 1. Default 2. */
  loadCap?: number;
  /** Most calls that wait for a slot. Default 256. */
  maxQueue?: number;
  /** Longest wait for a slot, in milliseconds. Default 30,000. */
  maxWaitMs?: number;
  /** Between two looks at a node, in milliseconds. Default 5,000. */
  healthIntervalMs?: number;
  /** Through it replicas that use the same nodes share slots and what they know of health. Not closed here. */
  store?: ReplicaStore;
  /**
   * true: there may be no node for a while, as where pods come and go; calls are refused meanwhile (overloaded), and
   * may fall back. Default false: an empty list is a mistake.
   */
  mayBeEmpty?: boolean;
  logger?: Logger;
}

/** What a call for a slot may say beside what it wants. */
export interface AcquireOptions {
  request: Pick<InferenceRequest, 'messages' | 'prompt' | 'tools' | 'model'>;
  agentName?: string | undefined;
  tags?: readonly string[] | undefined;
  signal?: AbortSignal | undefined;
  /** Longest wait, in milliseconds, where that is less than the pool's own. */
  deadlineMs?: number | undefined;
  /** Names of nodes not to be used. */
  exclude?: ReadonlySet<string> | undefined;
}

/** A slot of a node, until `release`. */
export interface NodeLease {
  node: NodeProfile;
  reasons: LeaseReasons;
  /** To be called at the first piece of output. */
  firstOutput(): void;
  /** Further calls change nothing. */
  release(outcome: RouteOutcome): void;
}

export interface LeaseReasons extends RouteReasons {
  /** Milliseconds the call waited for the slot. */
  waitedMs: number;
}

const now = () => performance.now();

/** Several llama-servers as one: knows their health and load, and gives out their slots. Does nothing before its first use. */
export class NodePool {
  /** Speaks to all nodes. */
  readonly adapter: Adapter;
  readonly #profiles: Map<string, NodeProfile>;
  readonly #router: NodeRouter;
  readonly #queue: WaitQueue;
  readonly #watch: NodeWatch;
  readonly #shared: SharedState | undefined;
  readonly #claims: SlotClaims;
  readonly #logger: Logger;
  readonly #maxWaitMs: number;
  readonly #mayBeEmpty: boolean;
  #closed: AirframeError | undefined;

  /** @throws AirframeError (invalid_request) naming every problem of the profiles */
  constructor(profiles: readonly NodeProfile[], options: NodePoolOptions = {}) {
    const { maxQueue = 256, maxWaitMs = 30_000, healthIntervalMs: intervalMs = 5_000, store } = options;
    const logger = loggerOf(options.logger);
    this.#mayBeEmpty = options.mayBeEmpty ?? false;
    const nodes = checkNodeProfiles(profiles, this.#mayBeEmpty);
    this.#logger = logger;
    this.#profiles = byName(nodes);
    this.#router = new NodeRouter({ ...options, nodes, now, random: Math.random });
    this.#queue = new WaitQueue(this.#router, maxQueue, now);
    this.#shared = store && new SharedState(store, randomUUID(), logger);
    this.#claims = new SlotClaims(this.#router, this.#shared, () => this.#queue.serve());
    this.#watch = new NodeWatch({
      profiles: this.#profiles,
      router: this.#router,
      intervalMs,
      shared: this.#shared,
      logger,
      onChange: () => this.#queue.serve(),
    });
    this.#maxWaitMs = maxWaitMs;
    this.adapter = llamaServerAdapter();
  }

  get profiles(): NodeProfile[] {
    return [...this.#profiles.values()];
  }

  /**
   * Puts other nodes in the place of those there are, all at once.
   *
   * - A node of the same name and baseUrl stays, with its calls, its slots and what is known of its health, its speed
   *   and the prompts it holds. What else its profile says anew holds for calls from now on (`cacheTokens` is for new
   *   nodes only).
   * - A node that is not in the list any more gets no further call; those it has end as they would.
   * - Calls that wait are served by new nodes, or refused where none is for them any more.
   * @throws AirframeError (invalid_request) naming every problem of the profiles, no nodes at all being one unless
   * there may be none: then the nodes are those of before. aborted: the pool is closed
   */
  update(profiles: readonly NodeProfile[]): void {
    if (this.#closed) throw this.#closed;
    const nodes = checkNodeProfiles(profiles, this.#mayBeEmpty);
    const { added, removed, changed } = changesOf(this.#profiles, byName(nodes));
    if (added.length + removed.length + changed.length === 0) return;
    this.#logger.info('the nodes have changed', { added, removed, changed });
    this.#profiles.clear();
    for (const profile of nodes) this.#profiles.set(profile.name, profile);
    this.#claims.forget(removed);
    this.#router.update(nodes);
    this.#watch.nodesChanged(removed);
    this.#queue.nodesChanged(removed);
  }

  /**
   * A slot for a call, claimed before the call is sent.
   * @throws AirframeError: overloaded when no slot becomes free in time; not_found when no node is for this agent,
   * model and tags, or (code `no_node_left`) when those are all excluded; aborted
   */
  async acquire(options: AcquireOptions): Promise<NodeLease> {
    const { request, agentName, tags, signal, exclude, deadlineMs = this.#maxWaitMs } = options;
    const startedAt = now();
    const route: RouteRequest = {
      prefix: promptPrefix(request),
      since: startedAt,
      ...defined({ agentName, tags, model: request.model, exclude }),
    };
    const endsAt = startedAt + Math.min(deadlineMs, this.#maxWaitMs);
    for (let first = false; ; first = true) {
      if (this.#closed) throw this.#closed;
      if (signal?.aborted)
        throw new AirframeError('aborted', 'the call was aborted', { cause: signal.reason });
      this.#watch.start();
      const assignment = await this.#assign(route, { endsAt, signal, first });
      const waitedMs = now() - startedAt;
      const claim = await this.#claim(assignment);
      // Other nodes may have come since the router chose this one.
      if (claim && !assignment.removed) return this.#lease(assignment, claim, waitedMs);
      claim?.release();
      assignment.end({ result: 'none' });
    }
  }

  /** The nodes for such a call, for what needs no slot; those that take calls come first. */
  nodesFor(wanted: Omit<RouteRequest, 'prefix'>): NodeProfile[] {
    return this.#router.namesFor(wanted).map(name => this.#profile(name));
  }

  /**
   * Notes what somebody found out about a node. It holds, for all replicas, until a look at the node finds another
   * state than the look before.
   * @throws AirframeError (not_found) for a node that is not in the pool
   */
  markNodeHealthy(node: string, healthy: boolean): void {
    const { baseUrl } = this.#profile(node);
    this.#shared?.marked(baseUrl, healthy);
    this.#watch.set(node, healthy, 'marked by hand');
  }

  /**
   * Whether a node takes calls; undefined: nobody knows yet.
   * @throws AirframeError (not_found) for a node that is not in the pool
   */
  getNodeHealth(node: string): boolean | undefined {
    this.#profile(node);
    return this.#router.state(node) === 'out' ? false : this.#watch.health(node);
  }

  /** The figures of all nodes, and how many calls wait. */
  snapshot(): { strategy: Strategy; waiting: number; nodes: NodeSnapshot[] } {
    const { strategy } = this.#router;
    const nodes = this.#router.snapshot().map(({ out, ...node }) => {
      const { baseUrl } = this.#profile(node.name);
      const reason = out?.because === 'unhealthy' ? this.#watch.reason(node.name) : undefined;
      return { ...node, baseUrl, ...(out && { out: { ...out, ...defined({ reason }) } }) };
    });
    return { strategy, waiting: this.#queue.length, nodes };
  }

  /** Ends all calls, those that wait too, and all looks at nodes. Leaves no timer and no socket. */
  async close(): Promise<void> {
    this.#closed ??= new AirframeError('aborted', 'the node pool is closed', { remedy: 'make a new one' });
    this.#queue.close(this.#closed);
    this.#claims.close();
    await Promise.all([this.#watch.close(), this.adapter.close()]);
    this.#shared?.close();
  }

  async #assign(
    route: RouteRequest,
    { endsAt, ...how }: Omit<WaitOptions, 'maxWaitMs' | 'waitsFor'> & { endsAt: number },
  ): Promise<Assignment> {
    const { isFull, waiting } = this.#queue;
    const result = this.#router.assign(isFull ? inAHurry(route) : route, waiting);
    if (result.node !== undefined) return result;
    const { refused, waitsFor } = result;
    if (refused !== 'saturated') {
      throw this.#profiles.size === 0 ? noNodeNow() : noNode(refused, route);
    }
    return this.#queue.wait(route, { ...how, maxWaitMs: Math.max(1, endsAt - now()), waitsFor });
  }

  async #claim(assignment: Assignment): Promise<SlotClaim | undefined> {
    if (assignment.removed) return undefined;
    return this.#claims.claim(assignment, this.#profile(assignment.node).baseUrl);
  }

  #lease(assignment: Assignment, claim: SlotClaim, waitedMs: number): NodeLease {
    const node = this.#profile(assignment.node);
    let released = false;
    return {
      node,
      reasons: { ...assignment.reasons, waitedMs },
      firstOutput: () => assignment.firstOutput(),
      release: outcome => {
        if (released) return;
        released = true;
        assignment.end(outcome);
        claim.release();
        if (!assignment.removed) {
          this.#watch.callEnded(node.name);
          if (outcome.result === 'failed') this.#tellEjection(node);
        }
        this.#queue.serve();
      },
    };
  }

  #tellEjection({ name, baseUrl }: NodeProfile): void {
    const ms = this.#router.ejectedForMs(name);
    if (ms > 0) this.#shared?.ejected(baseUrl, ms);
  }

  #profile(name: string): NodeProfile {
    const profile = this.#profiles.get(name);
    if (profile) return profile;
    const known = [...this.#profiles.keys()].join(', ');
    throw new AirframeError('not_found', `no node is named ${JSON.stringify(name)}; known: ${known}`);
  }
}
