import {
  type EndpointSpec,
  HealthMonitor,
  type HealthReport,
  type HealthState,
  StaticRegistry,
} from '@x/airframe';
import type { Logger } from '../logger.ts';
import { type NodeFacts, nodeProbe } from './node-probe.ts';
import type { NodeProfile } from './profiles.ts';
import type { NodeRouter } from './router.ts';
import type { SharedState } from './shared-state.ts';

export interface NodeWatchOptions {
  /** By name; may change, see {@link NodeWatch.nodesChanged}. */
  profiles: ReadonlyMap<string, NodeProfile>;
  router: NodeRouter;
  intervalMs: number;
  shared: SharedState | undefined;
  logger: Logger;
  /** Called when a node may have room that had none. */
  onChange: () => void;
}

/** A server may take so long to let go of a slot whose call is over for us; milliseconds. */
const SLOT_LAG_MS = 2_000;
/** Longest wait for a node's answer to a look, in milliseconds. */
const LOOK_TIMEOUT_MS = 5_000;

/** What is known of a node's health. */
interface Health {
  healthy: boolean;
  /** What was found, in words. */
  reason: string;
}

/** Looks at nodes again and again, and tells the router what it sees. */
export class NodeWatch {
  readonly #options: NodeWatchOptions;
  readonly #probe = nodeProbe((endpoint, facts) => this.#learn(endpoint, facts));
  /** What was found out last; a node is not in it before. */
  readonly #health = new Map<string, Health>();
  /** What the last look at a node saw. */
  readonly #seen = new Map<string, HealthState>();
  /** When calls of ours ended, by node; only as far back as a look cares for. */
  readonly #ends = new Map<string, number[]>();
  #registry: StaticRegistry | undefined;
  #monitor: HealthMonitor | undefined;

  constructor(options: NodeWatchOptions) {
    this.#options = options;
  }

  /** Further calls change nothing. */
  start(): void {
    if (this.#monitor) return;
    const { intervalMs } = this.#options;
    this.#registry = new StaticRegistry(this.#endpoints());
    this.#monitor = new HealthMonitor({
      registry: this.#registry,
      probe: { check: (endpoint, signal) => this.#check(endpoint, signal) },
      intervalMs,
    });
  }

  /**
   * To be called when the profiles are others: new nodes are looked at at once, and what is gone is forgotten.
   * @param removed names of nodes there were, though others may have them now
   */
  nodesChanged(removed: readonly string[]): void {
    for (const name of removed)
      for (const known of [this.#health, this.#seen, this.#ends]) known.delete(name);
    this.#registry?.replace(this.#endpoints());
  }

  /** What was found out of a node's health; undefined: nothing yet. */
  health(name: string): boolean | undefined {
    return this.#health.get(name)?.healthy;
  }

  /** What was found, in words, when a node was found unhealthy; undefined: it was not. */
  reason(name: string): string | undefined {
    const { healthy = true, reason } = this.#health.get(name) ?? {};
    return healthy ? undefined : reason;
  }

  /** @param reason in words, for the log and {@link reason} */
  set(name: string, healthy: boolean, reason: string): void {
    const { router, logger, onChange } = this.#options;
    const before = this.health(name);
    this.#health.set(name, { healthy, reason });
    router.setHealth(name, healthy);
    if (!healthy && before !== false) logger.warn(`node ${name} is taken out`, { node: name, reason });
    if (healthy && before === false) logger.info(`node ${name} is back`, { node: name });
    if (healthy) onChange();
  }

  /** A call of ours at this node is over. */
  callEnded(name: string): void {
    this.#recentEnds(name).push(performance.now());
  }

  async close(): Promise<void> {
    await this.#monitor?.close();
    await this.#probe.close();
  }

  async #check(endpoint: EndpointSpec, signal: AbortSignal | undefined): Promise<HealthReport> {
    const timeouts = { totalMs: LOOK_TIMEOUT_MS };
    const seen = await this.#probe.health(endpoint, { timeouts, ...(signal ? { signal } : {}) });
    const kept = seen.state === 'healthy' && (await this.#options.shared?.isOut(endpoint.baseUrl));
    const report: HealthReport = kept ? { ...seen, state: 'unhealthy', reason: KEPT_OUT } : seen;
    // A look that was cut short saw nothing.
    if (!signal?.aborted && this.#isCurrent(endpoint)) this.#look(endpoint.name, report);
    return report;
  }

  /** Only a state that is another than at the look before says something: between looks others have their say. */
  #look(name: string, { state, reason = state }: HealthReport): void {
    if (this.#seen.get(name) === state) return;
    this.#seen.set(name, state);
    this.set(name, state === 'healthy', reason);
  }

  #isCurrent({ name, baseUrl }: EndpointSpec): boolean {
    return this.#options.profiles.get(name)?.baseUrl === baseUrl;
  }

  #endpoints(): EndpointSpec[] {
    return [...this.#options.profiles.values()].map(endpointOf);
  }

  /** The slots the server tells are used unless the profile tells other ones. */
  #learn(endpoint: EndpointSpec, { slots: told, busySlots }: NodeFacts): void {
    if (!this.#isCurrent(endpoint)) return;
    const { name } = endpoint;
    const { profiles, router, onChange } = this.#options;
    const slots = profiles.get(name)?.slots ?? told;
    if (slots !== undefined) router.observe(name, { slots });
    if (busySlots !== undefined) {
      const own = router.inFlight(name) + this.#recentEnds(name).length;
      router.observe(name, { elsewhere: busySlots - own });
    }
    onChange();
  }

  #recentEnds(name: string): number[] {
    const from = performance.now() - SLOT_LAG_MS;
    const recent = (this.#ends.get(name) ?? []).filter(at => at >= from);
    this.#ends.set(name, recent);
    return recent;
  }
}

const KEPT_OUT = 'another replica or an operator has taken it out';

function endpointOf({ name, baseUrl, apiKey }: NodeProfile): EndpointSpec {
  return { name, baseUrl, backendKind: 'llama_server', ...(apiKey === undefined ? {} : { apiKey }) };
}
