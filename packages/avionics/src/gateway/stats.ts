import type { ErrorCategory, Usage } from '@x/airframe';
import { CostSum } from '../cost/money.ts';
import type { BreakerState } from '../routing/breaker.ts';
import { Histogram, type Percentiles } from './histogram.ts';
import type { BilledTokens } from './response.ts';

/** What a provider has done for the gateway. */
export interface GatewayProviderStats {
  /** Calls sent to it. */
  requests: number;
  /** Calls it failed; those that the caller ended are not among them. */
  errors: number;
  promptTokens: number;
  completionTokens: number;
  costUsd: number;
  /** Its circuit; absent: never called through this gateway. */
  circuit?: BreakerState;
}

/** What an agent has had of the gateway. */
export interface GatewayAgentStats {
  requests: number;
  succeeded: number;
  failed: number;
  stopped: number;
  promptTokens: number;
  completionTokens: number;
  costUsd: number;
  /** Milliseconds of the calls that succeeded. */
  latencyMs: Percentiles;
}

/** What a gateway has counted since it was made. */
export interface GatewayStats {
  requests: number;
  succeeded: number;
  failed: number;
  /** Ended by the caller: a signal, a `break`, or the resource callback. */
  stopped: number;
  inFlight: number;
  /** Answers that did not come from the first provider. */
  fallbacks: number;
  /** Answers from the cache, those shared with a call under way included; no provider was asked. */
  cacheHits: number;
  /** USD those answers cost when they were made. */
  savedUsd: number;
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  costUsd: number;
  /** Calls of models without a known price; `costUsd` lacks them. */
  unpriced: number;
  /** Mean of the calls that succeeded; 0 before the first. */
  averageLatencyMs: number;
  /** Milliseconds of the calls that succeeded. */
  latencyMs: Percentiles;
  /** Milliseconds to the first text of an answer. */
  firstTokenMs: Percentiles;
  /** By agent name; beyond the first thousand they are counted together as `other agents`. */
  agents: Record<string, GatewayAgentStats>;
  /** By the name a provider is configured under. */
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

/** What a call has come to. */
export interface CallFacts extends BilledTokens {
  agentName: string;
  latencyMs: number;
  /** Absent: no text has come. */
  firstChunkMs: number | undefined;
  costUsd: number;
}

/** Bounds what a stream of made-up agent names can take of memory. */
const MAX_AGENTS = 1_000;
const OTHERS = 'other agents';

/** Counts the calls of a gateway. */
export class StatsBook {
  readonly #calls = {
    requests: 0,
    succeeded: 0,
    failed: 0,
    stopped: 0,
    fallbacks: 0,
    unpriced: 0,
    cacheHits: 0,
    savedUsd: 0,
  };
  readonly #latency = new Histogram();
  readonly #firstToken = new Histogram();
  readonly #providers = new Map<string, GatewayProviderStats>();
  /** By provider, for the sums in the stats lose what is small. */
  readonly #costs = new Map<string, CostSum>();
  readonly #saved = new CostSum();
  readonly #agents = new Map<string, AgentBook>();

  began(): void {
    this.#calls.requests++;
  }

  ended(outcome: CallOutcome, facts: CallFacts): void {
    this.#calls[outcome]++;
    if (outcome === 'succeeded') this.#latency.add(facts.latencyMs);
    if (facts.firstChunkMs !== undefined) this.#firstToken.add(facts.firstChunkMs);
    this.#agent(facts.agentName).ended(outcome, facts);
  }

  fellBack(): void {
    this.#calls.fallbacks++;
  }

  /** A call was answered from the cache. */
  cached(savedUsd: number): void {
    this.#calls.cacheHits++;
    this.#saved.add(savedUsd);
    this.#calls.savedUsd = this.#saved.usd;
  }

  provider(part: ProviderPart): void {
    const stats = this.#of(part.provider);
    stats.requests++;
    if (part.error !== undefined && part.error !== 'aborted') stats.errors++;
    stats.promptTokens += part.usage.promptTokens;
    stats.completionTokens += part.usage.completionTokens;
    const cost = this.#costs.get(part.provider) ?? new CostSum();
    this.#costs.set(part.provider, cost);
    cost.add(part.costUsd);
    stats.costUsd = cost.usd;
    if (!part.priced) this.#calls.unpriced++;
  }

  /** @param circuits states by provider name */
  snapshot(circuits: Record<string, BreakerState> = {}): GatewayStats {
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
      averageLatencyMs: this.#latency.mean,
      latencyMs: this.#latency.percentiles(),
      firstTokenMs: this.#firstToken.percentiles(),
      agents: Object.fromEntries([...this.#agents].map(([name, agent]) => [name, agent.snapshot()])),
      providers: Object.fromEntries(
        [...this.#providers].map(([name, stats]) => {
          const circuit = circuits[name];
          return [name, circuit ? { ...stats, circuit } : { ...stats }];
        }),
      ),
    };
  }

  #of(name: string): GatewayProviderStats {
    const known = this.#providers.get(name);
    if (known) return known;
    const stats = { requests: 0, errors: 0, promptTokens: 0, completionTokens: 0, costUsd: 0 };
    this.#providers.set(name, stats);
    return stats;
  }

  #agent(name: string): AgentBook {
    const known = this.#agents.get(name);
    if (known) return known;
    if (this.#agents.size >= MAX_AGENTS && name !== OTHERS) return this.#agent(OTHERS);
    const agent = new AgentBook();
    this.#agents.set(name, agent);
    return agent;
  }
}

class AgentBook {
  readonly #counts = { requests: 0, succeeded: 0, failed: 0, stopped: 0 };
  readonly #used = { promptTokens: 0, completionTokens: 0 };
  readonly #cost = new CostSum();
  readonly #latency = new Histogram();

  ended(outcome: CallOutcome, { promptTokens, completionTokens, costUsd, latencyMs }: CallFacts): void {
    this.#counts.requests++;
    this.#counts[outcome]++;
    this.#used.promptTokens += promptTokens;
    this.#used.completionTokens += completionTokens;
    this.#cost.add(costUsd);
    if (outcome === 'succeeded') this.#latency.add(latencyMs);
  }

  snapshot(): GatewayAgentStats {
    return {
      ...this.#counts,
      ...this.#used,
      costUsd: this.#cost.usd,
      latencyMs: this.#latency.percentiles(),
    };
  }
}
