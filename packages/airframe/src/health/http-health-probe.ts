import type { Adapter } from '../adapter.ts';
import type { EndpointSpec, HealthReport } from '../endpoint.ts';

/** What {@link HttpHealthProbe} takes. */
export interface HttpHealthProbeOptions {
  /** The adapters that know how to look at their kind of backend. */
  adapters: readonly Pick<Adapter, 'kind' | 'health'>[];
  /** Longest wait for an answer, in milliseconds. Default 5,000. */
  timeoutMs?: number;
}

/** Looks at endpoints and remembers what it saw last. Reads only; it decides nothing. */
export class HttpHealthProbe {
  readonly #adapters: ReadonlyMap<string, Pick<Adapter, 'kind' | 'health'>>;
  readonly #timeoutMs: number;
  readonly #last = new Map<string, HealthReport>();

  constructor(options: HttpHealthProbeOptions) {
    this.#adapters = new Map(options.adapters.map(adapter => [adapter.kind, adapter]));
    this.#timeoutMs = options.timeoutMs ?? 5_000;
  }

  /** Looks now. Never throws; what went wrong is the report's `reason`. */
  async check(endpoint: EndpointSpec, signal?: AbortSignal): Promise<HealthReport> {
    const adapter = this.#adapters.get(endpoint.backendKind);
    const report: HealthReport = adapter
      ? await adapter.health(endpoint, {
          timeouts: { totalMs: this.#timeoutMs },
          ...(signal ? { signal } : {}),
        })
      : {
          state: 'unknown',
          checkedAt: Date.now(),
          latencyMs: 0,
          reason: `no adapter for backend kind ${endpoint.backendKind}`,
        };
    this.#last.set(endpoint.name, report);
    return report;
  }

  /** What was seen last; `unknown` before the first look. */
  last(endpoint: EndpointSpec): HealthReport {
    return this.#last.get(endpoint.name) ?? { state: 'unknown', checkedAt: 0, latencyMs: 0 };
  }
}
