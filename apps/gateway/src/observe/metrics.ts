import { type AirframeError, ERROR_CATEGORIES } from '@x/airframe';
import type { RequestRecord } from '@x/console/contract';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RecordSink } from '../calls/recorder.ts';
import { GATEWAY_CODES } from '../protocols/status.ts';
import { type LiveFacts, registerGauges } from './gauges.ts';
import { Tally } from './tally.ts';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** Gauges of prom-client whose names end as a counter's, which Prometheus's own check refuses. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

const OUTCOMES = ['ok', 'refused'] as const;
const REASONS: ReadonlySet<string> = new Set(Object.values(GATEWAY_CODES));

/**
 * Prometheus's metrics of this process. All labels come from the configuration or from closed sets: no client can make
 * up one, by an agent's name, a model's or anything else.
 */
export class Metrics implements RecordSink {
  readonly registry: Registry = new Registry();
  readonly #requests = this.#tally('gateway_requests_total', 'Calls that are over', [
    'protocol',
    'model',
    'outcome',
  ]);
  readonly #errors = this.#tally('gateway_errors_total', 'Calls that failed', ['category']);
  readonly #refused = this.#tally(
    'gateway_refused_requests_total',
    'Requests that became no call: nobody was asked',
    ['reason'],
  );
  readonly #attempts = this.#tally('gateway_attempts_total', 'Tries at providers', ['provider', 'outcome']);
  readonly #fallbacks = this.#tally(
    'gateway_fallbacks_total',
    'Calls that another provider than the first one answered',
    ['provider'],
  );
  readonly #tokens = this.#tally(
    'gateway_tokens_total',
    'Tokens used, failed tries included, under the provider that answered, or was asked last',
    ['provider', 'model', 'kind'],
  );
  readonly #cached = this.#tally(
    'gateway_cached_prompt_tokens_total',
    'Prompt tokens that a provider had in its own cache; a part of the prompt tokens',
    ['provider', 'model'],
  );
  readonly #cost = this.#tally(
    'gateway_cost_usd_total',
    'US dollars, failed tries included, under the provider that answered, or was asked last',
    ['provider', 'model', 'key'],
  );
  readonly #cache = this.#tally(
    'gateway_cache_lookups_total',
    'Calls for which the response cache was asked',
    ['outcome'],
  );
  readonly #reloads = this.#tally('gateway_config_reloads_total', 'Configurations read again', ['outcome']);
  readonly #lastReload = new Gauge({
    name: 'gateway_config_last_reload_successful',
    help: 'Whether the configuration in use is the one that was read last',
    registers: [this.registry],
  });
  readonly #duration = this.#histogram(
    'gateway_request_duration_seconds',
    'Calls that succeeded, from their beginning to their end',
    ['protocol'],
  );
  readonly #firstOutput = this.#histogram(
    'gateway_first_output_seconds',
    'From the beginning of a call to its first output',
    ['provider'],
  );

  constructor(live: LiveFacts) {
    collectDefaultMetrics({ register: this.registry });
    for (const name of MISNAMED) this.registry.removeSingleMetric(name);
    registerGauges(this.registry, live);
    // A counter that comes into being with its first event hides that one from `rate()`.
    for (const category of ERROR_CATEGORIES) this.#errors.add(0, category);
    for (const outcome of OUTCOMES) this.#reloads.add(0, outcome);
    this.#lastReload.set(1);
  }

  record(record: RequestRecord): void {
    if (record.state === 'running') return;
    const { protocol, model, state, provider, firstTokenMs, latencyMs, attempts } = record;
    this.#requests.add(1, protocol, model, state);
    if (record.error && state === 'failed') this.#errors.add(1, record.error.category);
    for (const attempt of attempts) this.#attempts.add(1, attempt.provider, attempt.outcome);
    if (record.cache) this.#cache.add(1, record.cache);
    if (state === 'succeeded' && latencyMs !== undefined)
      this.#duration.observe({ protocol }, latencyMs / 1_000);
    const by = provider ?? attempts.at(-1)?.provider;
    if (by === undefined) return;
    if (firstTokenMs !== undefined) this.#firstOutput.observe({ provider: by }, firstTokenMs / 1_000);
    const [first] = attempts;
    if (state === 'succeeded' && first && first.provider !== by) this.#fallbacks.add(1, by);
    this.#account(record, by);
  }

  /** A request that never became a call. */
  refused({ code, category }: AirframeError): void {
    this.#refused.add(1, code !== undefined && REASONS.has(code) ? code : category);
  }

  reloaded(outcome: (typeof OUTCOMES)[number]): void {
    this.#reloads.add(1, outcome);
    this.#lastReload.set(outcome === 'ok' ? 1 : 0);
  }

  #account({ usage, costUsd, model, key }: RequestRecord, provider: string): void {
    const { promptTokens, completionTokens, cachedTokens } = usage ?? {};
    if (counts(promptTokens)) this.#tokens.add(promptTokens, provider, model, 'prompt');
    if (counts(completionTokens)) this.#tokens.add(completionTokens, provider, model, 'completion');
    if (counts(cachedTokens)) this.#cached.add(cachedTokens, provider, model);
    if (counts(costUsd)) this.#cost.add(costUsd, provider, model, key);
  }

  #tally<Label extends string>(name: string, help: string, labelNames: Label[]) {
    return new Tally(this.registry, name, help, labelNames);
  }

  #histogram<Label extends string>(name: string, help: string, labelNames: Label[]) {
    return new Histogram({ name, help, labelNames, buckets: SECONDS, registers: [this.registry] });
  }
}

/** Figures of backends may be none; a counter would throw at them. */
function counts(amount: number | undefined): amount is number {
  return amount !== undefined && amount > 0 && amount < Number.POSITIVE_INFINITY;
}
