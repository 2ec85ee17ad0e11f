import type { EndpointSpec, HealthReport } from '../endpoint.ts';
import type { EndpointRegistry, RegistryWatch } from '../registry/registry.ts';
import type { HttpHealthProbe } from './http-health-probe.ts';

/** An endpoint whose state is another than at the look before. */
export interface HealthChange {
  endpoint: EndpointSpec;
  from: HealthReport;
  to: HealthReport;
}

/** What {@link HealthMonitor} takes. */
export interface HealthMonitorOptions {
  registry: Pick<EndpointRegistry, 'list' | 'watch'>;
  probe: Pick<HttpHealthProbe, 'check'>;
  /** From the end of one look at an endpoint to the next, in milliseconds, give or take a tenth. Default 15,000. */
  intervalMs?: number;
  /** Looks at once. Default 8. */
  maxConcurrent?: number;
  /** Called after the report is in. What it throws is an uncaught exception, as in any event handler. */
  onChange?: (change: HealthChange) => void;
  /** Does what `close()` does. */
  signal?: AbortSignal;
}

interface Entry {
  endpoint: EndpointSpec;
  report: HealthReport;
  stop: AbortController;
  timer?: NodeJS.Timeout;
}

const NEVER_SEEN: HealthReport = { state: 'unknown', checkedAt: 0, latencyMs: 0 };

/**
 * Looks at the health of a registry's endpoints again and again, from now on until it is closed or the registry is.
 * Follows the registry: a new or changed endpoint is looked at at once and is `unknown` until then, a removed one is
 * forgotten. Between looks it keeps no process alive.
 */
export class HealthMonitor {
  readonly #probe: HealthMonitorOptions['probe'];
  readonly #intervalMs: number;
  readonly #maxConcurrent: number;
  readonly #onChange: (change: HealthChange) => void;
  readonly #entries = new Map<string, Entry>();
  readonly #looks = new Set<Promise<void>>();
  readonly #changes: RegistryWatch;
  #due: Entry[] = [];

  constructor(options: HealthMonitorOptions) {
    this.#probe = options.probe;
    this.#intervalMs = options.intervalMs ?? 15_000;
    this.#maxConcurrent = options.maxConcurrent ?? 8;
    this.#onChange = options.onChange ?? (() => {});
    this.#changes = options.registry.watch(options.signal ? { signal: options.signal } : {});
    if (!options.signal?.aborted) this.#add(options.registry.list());
    void this.#follow();
  }

  /** What was seen last of the endpoint of this name; `unknown` before the first look. */
  last(name: string): HealthReport {
    return this.#entries.get(name)?.report ?? NEVER_SEEN;
  }

  /** Stops looking, and resolves when no look is under way any more. The last reports stay. */
  async close(): Promise<void> {
    await this.#changes.return?.();
    this.#stop();
    await Promise.all(this.#looks);
  }

  async #follow(): Promise<void> {
    for await (const { added, changed, removed } of this.#changes) {
      for (const { name } of [...removed, ...changed]) this.#forget(name);
      this.#add([...added, ...changed]);
    }
    this.#stop();
  }

  #add(endpoints: readonly EndpointSpec[]): void {
    for (const endpoint of endpoints) {
      const entry = { endpoint, report: NEVER_SEEN, stop: new AbortController() };
      this.#entries.set(endpoint.name, entry);
      this.#due.push(entry);
    }
    this.#lookAtDue();
  }

  #forget(name: string): void {
    const entry = this.#entries.get(name);
    if (entry) halt(entry);
    this.#entries.delete(name);
  }

  #stop(): void {
    for (const entry of this.#entries.values()) halt(entry);
  }

  #lookAtDue(): void {
    this.#due = this.#due.filter(({ stop }) => !stop.signal.aborted);
    for (const entry of this.#due.splice(0, this.#maxConcurrent - this.#looks.size)) {
      const look = this.#look(entry).finally(() => {
        this.#looks.delete(look);
        this.#lookAtDue();
      });
      this.#looks.add(look);
    }
  }

  async #look(entry: Entry): Promise<void> {
    const { endpoint, stop, report: from } = entry;
    const to = await this.#probe.check(endpoint, stop.signal);
    // A look that was cut short saw nothing.
    if (stop.signal.aborted) return;
    entry.report = to;
    if (to.state !== from.state) queueMicrotask(() => this.#onChange({ endpoint, from, to }));
    // Many processes that started together must not look in step for ever.
    const waitMs = this.#intervalMs * (0.9 + Math.random() / 5);
    entry.timer = setTimeout(() => {
      this.#due.push(entry);
      this.#lookAtDue();
    }, waitMs).unref();
  }
}

function halt({ stop, timer }: Entry): void {
  stop.abort();
  clearTimeout(timer);
}
