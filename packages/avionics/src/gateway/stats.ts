import type { ErrorCategory, Usage } from '@x/airframe';

/** What a provider has done for the gateway. */
export interface GatewayProviderStats {
  /** Calls sent to it. */
  requests: number;
  /** Calls it failed; those that the caller ended are not among them. */
  errors: number;
  promptTokens: number;
  completionTokens: number;
  costUsd: number;
}

export interface GatewayStats {
  requests: number;
  succeeded: number;
  failed: number;
  /** Ended by the caller: a signal, a `break`, or the resource callback. */
  stopped: number;
  inFlight: number;
  /** Answers that did not come from the first provider. */
  fallbacks: number;
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  costUsd: number;
  /** Calls of models without a known price; `costUsd` lacks them. */
  unpriced: number;
  /** Mean of the calls that succeeded; 0 before the first. */
  averageLatencyMs: number;
  /** By provider type. */
  providers: Record<string, GatewayProviderStats>;
}

export type CallOutcome = 'succeeded' | 'failed' | 'stopped';

/** One provider's part in a call. */
export interface ProviderPart {
  provider: string;
  usage: Pick<Usage, 'promptTokens' | 'completionTokens'>;
  costUsd: number;
  priced: boolean;
  error: ErrorCategory | undefined;
}

/** Counts the calls of a gateway. */
export class StatsBook {
  readonly #calls = { requests: 0, succeeded: 0, failed: 0, stopped: 0, fallbacks: 0, unpriced: 0 };
  #latencyMs = 0;
  readonly #providers = new Map<string, GatewayProviderStats>();

  began(): void {
    this.#calls.requests++;
  }

  ended(outcome: CallOutcome, latencyMs: number): void {
    this.#calls[outcome]++;
    if (outcome === 'succeeded') this.#latencyMs += latencyMs;
  }

  fellBack(): void {
    this.#calls.fallbacks++;
  }

  provider(part: ProviderPart): void {
    const stats = this.#of(part.provider);
    stats.requests++;
    if (part.error !== undefined && part.error !== 'aborted') stats.errors++;
    stats.promptTokens += part.usage.promptTokens;
    stats.completionTokens += part.usage.completionTokens;
    stats.costUsd += part.costUsd;
    if (!part.priced) this.#calls.unpriced++;
  }

  snapshot(): GatewayStats {
    const { requests, succeeded, failed, stopped } = this.#calls;
    const providers = [...this.#providers.values()];
    const sum = (pick: (stats: GatewayProviderStats) => number) =>
      providers.reduce((total, stats) => total + pick(stats), 0);
    const promptTokens = sum(stats => stats.promptTokens);
    const completionTokens = sum(stats => stats.completionTokens);
    return {
      ...this.#calls,
      inFlight: requests - succeeded - failed - stopped,
      promptTokens,
      completionTokens,
      totalTokens: promptTokens + completionTokens,
      costUsd: sum(stats => stats.costUsd),
      averageLatencyMs: succeeded === 0 ? 0 : this.#latencyMs / succeeded,
      providers: Object.fromEntries([...this.#providers].map(([name, stats]) => [name, { ...stats }])),
    };
  }

  #of(name: string): GatewayProviderStats {
    const known = this.#providers.get(name);
    if (known) return known;
    const stats = { requests: 0, errors: 0, promptTokens: 0, completionTokens: 0, costUsd: 0 };
    this.#providers.set(name, stats);
    return stats;
  }
}
