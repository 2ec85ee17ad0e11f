import type { RequestRecord } from '@x/console/contract';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RecordSink } from '../calls/recorder.ts';

/** What is asked for at each scrape. */
export interface LiveFacts {
  inFlight(): number;
  circuits(): { provider: string; state: 'closed' | 'open' | 'half_open' }[];
  nodes(): { provider: string; name: string; state: string; slots: number; busySlots: number }[];
}

const LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Prometheus's metrics of this process. Names and labels of a user's making are bounded by the configuration. */
export class Metrics implements RecordSink {
  readonly registry: Registry = new Registry();
  readonly #requests = this.#counter('gateway_requests_total', 'Calls that are over', [
    'protocol',
    'model',
    'outcome',
  ]);
  readonly #errors = this.#counter('gateway_errors_total', 'Calls that failed', ['category']);
  readonly #attempts = this.#counter('gateway_attempts_total', 'Tries at providers', ['provider', 'outcome']);
  readonly #fallbacks = this.#counter(
    'gateway_fallbacks_total',
    'Calls that another provider than the first answered',
    ['provider'],
  );
  readonly #tokens = this.#counter('gateway_tokens_total', 'Tokens that were paid for', [
    'provider',
    'model',
    'kind',
  ]);
  readonly #cost = this.#counter('gateway_cost_usd_total', 'US dollars', ['provider', 'model', 'key']);
  readonly #cache = this.#counter('gateway_cache_total', 'Calls that a cache was asked for', ['outcome']);
  readonly #refused = this.#counter(
    'gateway_refused_total',
    'Requests refused before any provider was asked',
    ['reason'],
  );
  readonly #reloads = this.#counter('gateway_config_reloads_total', 'Configurations read again', ['outcome']);
  readonly #duration = this.#histogram(
    'gateway_request_duration_seconds',
    'Calls that succeeded, from their beginning to their end',
    ['protocol'],
  );
  readonly #firstToken = this.#histogram(
    'gateway_first_output_seconds',
    'From the beginning of a call to its first output',
    ['provider'],
  );

  constructor(live: LiveFacts) {
    collectDefaultMetrics({ register: this.registry });
    this.#gauge('gateway_requests_in_flight', 'Calls under way', [], gauge => gauge.set(live.inFlight()));
    this.#gauge(
      'gateway_circuit_open',
      'Whether a provider is left alone: 1 open, 0.5 on trial',
      ['provider'],
      gauge => {
        for (const { provider, state } of live.circuits())
          gauge.set({ provider }, { closed: 0, half_open: 0.5, open: 1 }[state]);
      },
    );
    this.#gauge('gateway_node_up', 'Whether a node takes calls', ['provider', 'node'], gauge => {
      for (const { provider, name, state } of live.nodes())
        gauge.set({ provider, node: name }, state === 'out' ? 0 : 1);
    });
    this.#gauge('gateway_node_slots', 'Slots of a node', ['provider', 'node', 'state'], gauge => {
      for (const { provider, name, slots, busySlots } of live.nodes()) {
        gauge.set({ provider, node: name, state: 'busy' }, busySlots);
        gauge.set({ provider, node: name, state: 'free' }, Math.max(0, slots - busySlots));
      }
    });
  }

  record(record: RequestRecord): void {
    if (record.state === 'running') return;
    const { protocol, model, state, provider, firstTokenMs, latencyMs, attempts } = record;
    this.#requests.inc({ protocol, model, outcome: state });
    if (record.error && state === 'failed') this.#errors.inc({ category: record.error.category });
    for (const attempt of attempts)
      this.#attempts.inc({ provider: attempt.provider, outcome: attempt.outcome });
    if (record.cache) this.#cache.inc({ outcome: record.cache });
    if (state === 'succeeded' && latencyMs !== undefined)
      this.#duration.observe({ protocol }, latencyMs / 1_000);
    const by = provider ?? attempts.at(-1)?.provider;
    if (by === undefined) return;
    if (firstTokenMs !== undefined) this.#firstToken.observe({ provider: by }, firstTokenMs / 1_000);
    const [first] = attempts;
    if (state === 'succeeded' && first && first.provider !== by) this.#fallbacks.inc({ provider: by });
    this.#account(record, by);
  }

  /** A request that never became a call. */
  refused(reason: string): void {
    this.#refused.inc({ reason });
  }

  reloaded(outcome: 'ok' | 'refused'): void {
    this.#reloads.inc({ outcome });
  }

  #account({ usage, costUsd, model, key }: RequestRecord, provider: string): void {
    if (usage) {
      if (usage.promptTokens > 0) this.#tokens.inc({ provider, model, kind: 'prompt' }, usage.promptTokens);
      if (usage.completionTokens > 0)
        this.#tokens.inc({ provider, model, kind: 'completion' }, usage.completionTokens);
      if (usage.cachedTokens) this.#tokens.inc({ provider, model, kind: 'cached' }, usage.cachedTokens);
    }
    if (costUsd) this.#cost.inc({ provider, model, key }, costUsd);
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]) {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram<Label extends string>(name: string, help: string, labelNames: Label[]) {
    return new Histogram({ name, help, labelNames, buckets: LATENCY_BUCKETS, registers: [this.registry] });
  }

  #gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    set: (gauge: Gauge<Label>) => void,
  ): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        set(this);
      },
    });
  }
}
