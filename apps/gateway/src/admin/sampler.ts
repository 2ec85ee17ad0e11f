import type { RequestRecord, Sample, Series } from '@x/console/contract';

/** Names told apart in one second of providers, agents and keys each: clients can make up agents as they like. */
const MAX_NAMES = 100;
const OTHERS = 'other';
/** Durations kept of a second, from which its percentiles are read. */
const MAX_DURATIONS = 512;

/** Calls of one second that are still open, and how many of them wait for a slot. */
export interface Load {
  inFlight: number;
  waiting: number;
}

/** Counts ended calls by the second. */
export class Sampler {
  readonly #keep: number;
  readonly #history: Sample[] = [];
  #second = new Second();

  /** @param keep seconds of history */
  constructor(keep = 300) {
    this.#keep = keep;
  }

  /** The oldest first. */
  get history(): readonly Sample[] {
    return this.#history;
  }

  /** Counts a call that has ended. */
  ended(record: RequestRecord): void {
    this.#second.ended(record);
  }

  /**
   * Closes a second.
   * @param at its end, milliseconds since the epoch
   */
  tick(at: number, load: Load): Sample {
    const sample = { at, ...load, ...this.#second.counts() };
    this.#second = new Second();
    this.#history.push(sample);
    if (this.#history.length > this.#keep) this.#history.shift();
    return sample;
  }
}

class Second {
  readonly #all = new Counter();
  readonly #providers = new Group();
  readonly #agents = new Group();
  readonly #keys = new Group();

  ended(record: RequestRecord): void {
    this.#all.call(record);
    this.#agents.of(record.agent).call(record);
    this.#keys.of(record.key).call(record);
    if (record.provider !== undefined) this.#providers.of(record.provider).call(record);
    for (const [provider, category] of failedBefore(record)) this.#providers.of(provider).failed(category);
  }

  counts(): Omit<Sample, 'at' | keyof Load> {
    return {
      all: this.#all.series(),
      providers: this.#providers.series(),
      agents: this.#agents.series(),
      keys: this.#keys.series(),
    };
  }
}

class Group {
  readonly #counters = new Map<string, Counter>();

  of(name: string): Counter {
    const known = this.#counters.get(name);
    if (known) return known;
    if (this.#counters.size >= MAX_NAMES && name !== OTHERS) return this.of(OTHERS);
    const counter = new Counter();
    this.#counters.set(name, counter);
    return counter;
  }

  series(): Record<string, Series> {
    return Object.fromEntries([...this.#counters].map(([name, counter]) => [name, counter.series()]));
  }
}

class Counter {
  readonly #counts = {
    requests: 0,
    promptTokens: 0,
    completionTokens: 0,
    costUsd: 0,
    fallbacks: 0,
    cacheHits: 0,
  };
  readonly #errors = new Map<string, number>();
  readonly #latencyMs = new Durations();
  readonly #firstTokenMs = new Durations();

  call(record: RequestRecord): void {
    const { state, usage, costUsd, cache, error, latencyMs, firstTokenMs } = record;
    this.#counts.requests++;
    this.#counts.promptTokens += usage?.promptTokens ?? 0;
    this.#counts.completionTokens += usage?.completionTokens ?? 0;
    this.#counts.costUsd += costUsd ?? 0;
    if (fellBack(record)) this.#counts.fallbacks++;
    if (cache === 'hit' || cache === 'shared') this.#counts.cacheHits++;
    if (state === 'failed') this.#error(error?.category ?? 'unknown');
    if (state !== 'succeeded') return;
    if (latencyMs !== undefined) this.#latencyMs.add(latencyMs);
    if (firstTokenMs !== undefined) this.#firstTokenMs.add(firstTokenMs);
  }

  /** A provider had its part in a call that another one took up. */
  failed(category: string): void {
    this.#counts.requests++;
    this.#error(category);
  }

  series(): Series {
    const latencyMs = this.#latencyMs.percentiles();
    const firstTokenMs = this.#firstTokenMs.percentiles();
    return {
      ...this.#counts,
      errors: Object.fromEntries(this.#errors),
      ...(latencyMs ? { latencyMs } : {}),
      ...(firstTokenMs ? { firstTokenMs } : {}),
    };
  }

  #error(category: string): void {
    this.#errors.set(category, (this.#errors.get(category) ?? 0) + 1);
  }
}

/** Providers that a call left behind, and the category of the last failure of each. */
function failedBefore({ provider, attempts }: RequestRecord): ReadonlyMap<string, string> {
  if (attempts.length < 2 && attempts[0]?.outcome === 'ok') return NONE;
  const failed = attempts.filter(attempt => attempt.provider !== provider && attempt.outcome !== 'ok');
  return new Map(failed.map(attempt => [attempt.provider, attempt.outcome]));
}

const NONE: ReadonlyMap<string, string> = new Map();

/** Another provider answered than the one that was asked first. */
function fellBack({ state, provider, attempts }: RequestRecord): boolean {
  const first = attempts[0]?.provider;
  return state === 'succeeded' && first !== undefined && first !== provider;
}

/** A fair choice of any number of durations. */
class Durations {
  readonly #kept: number[] = [];
  #seen = 0;

  add(ms: number): void {
    this.#seen++;
    const at = this.#seen <= MAX_DURATIONS ? this.#kept.length : Math.floor(Math.random() * this.#seen);
    if (at < MAX_DURATIONS) this.#kept[at] = ms;
  }

  /** By nearest rank; undefined: there was none. */
  percentiles(): { p50: number; p95: number } | undefined {
    const sorted = this.#kept.sort((a, b) => a - b);
    const below = (share: number) => sorted[Math.ceil(share * sorted.length) - 1];
    const [p50, p95] = [below(0.5), below(0.95)];
    return p50 === undefined || p95 === undefined ? undefined : { p50, p95 };
  }
}
