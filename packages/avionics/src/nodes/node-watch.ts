import { type EndpointSpec, HealthMonitor, HttpHealthProbe, StaticRegistry } from '@x/airframe';
import type { Logger } from '../logger.ts';
import { type NodeFacts, nodeProbe } from './node-probe.ts';
import type { NodeProfile } from './profiles.ts';
import type { NodeRouter } from './router.ts';
import type { SharedState } from './shared-state.ts';

export interface NodeWatchOptions {
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

/** Looks at nodes again and again, and tells the router what it sees. */
export class NodeWatch {
  readonly #options: NodeWatchOptions;
  readonly #probe = nodeProbe((name, facts) => this.#learn(name, facts));
  /** What was found out last; a node is not in it before. */
  readonly #health = new Map<string, boolean>();
  /** When calls of ours ended, by node; only as far back as a look cares for. */
  readonly #ends = new Map<string, number[]>();
  #monitor: HealthMonitor | undefined;

  constructor(options: NodeWatchOptions) {
    this.#options = options;
  }

  /** Further calls change nothing. */
  start(): void {
    if (this.#monitor) return;
    const { profiles, intervalMs } = this.#options;
    const looks = new HttpHealthProbe({ adapters: [this.#probe] });
    this.#monitor = new HealthMonitor({
      registry: new StaticRegistry([...profiles.values()].map(endpointOf)),
      probe: { check: (endpoint, signal) => this.#check(looks, endpoint, signal) },
      intervalMs,
      onChange: ({ endpoint, to }) => this.set(endpoint.name, to.state === 'healthy', to.reason ?? to.state),
    });
  }

  /** What was found out of a node's health; undefined: nothing yet. */
  health(name: string): boolean | undefined {
    return this.#health.get(name);
  }

  /** @param reason for the log */
  set(name: string, healthy: boolean, reason: string): void {
    const { router, logger, onChange } = this.#options;
    const before = this.#health.get(name);
    this.#health.set(name, healthy);
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

  async #check(looks: HttpHealthProbe, endpoint: EndpointSpec, signal: AbortSignal | undefined) {
    const report = await looks.check(endpoint, signal);
    if (report.state !== 'healthy' || !(await this.#options.shared?.isOut(endpoint.baseUrl))) return report;
    return {
      ...report,
      state: 'unhealthy' as const,
      reason: 'another replica or an operator has taken it out',
    };
  }

  /** The slots the server tells are used unless the profile tells other ones. */
  #learn(name: string, { slots: told, busySlots }: NodeFacts): void {
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

function endpointOf({ name, baseUrl, apiKey }: NodeProfile): EndpointSpec {
  return { name, baseUrl, backendKind: 'llama_server', ...(apiKey === undefined ? {} : { apiKey }) };
}
