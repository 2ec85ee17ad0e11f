import type { Sample, Series } from '../contract.ts';
import type { ConsoleState } from '../feed/state.ts';

/** Whose calls are looked at. */
export type Scope = { of: 'all' } | { of: 'providers' | 'agents' | 'keys'; name: string };

/** Seconds that a chart shows. */
export const SHOWN = 300;
/** Rates are means over so many seconds: single calls are no peaks. */
const SMOOTH = 5;
/** Costs and rare events are told over a minute. */
const MINUTE = 60;
/** Lines of a chart of errors; all other categories are one more. */
const MAX_CATEGORIES = 5;

export interface Line {
  label: string;
  /** Number of its colour. */
  colour: number;
  values: (number | null)[];
}

/** Lines over the same seconds. */
export interface Plot {
  /** Seconds since the epoch, the oldest first. */
  times: number[];
  lines: Line[];
}

export interface Plots {
  requests: Plot;
  tokens: Plot;
  latency: Plot;
  firstToken: Plot;
  cost: Plot;
  errors: Plot;
  events: Plot;
  /** Of all calls alone. */
  open?: Plot;
}

const NOTHING: Series = {
  ...{ requests: 0, errors: {}, promptTokens: 0, completionTokens: 0, costUsd: 0 },
  ...{ fallbacks: 0, cacheHits: 0 },
};

export function seriesOf(sample: Sample, scope: Scope): Series {
  return scope.of === 'all' ? sample.all : (sample[scope.of][scope.name] ?? NOTHING);
}

/** What the charts show of these seconds. */
export function plotsOf(samples: ConsoleState['samples'], scope: Scope): Plots {
  const series = samples.map(sample => seriesOf(sample, scope));
  const from = Math.max(0, samples.length - SHOWN);
  const times = samples.slice(from).map(({ at }) => at / 1000);
  const line = (label: string, colour: number, values: (number | null)[]): Line => ({
    ...{ label, colour },
    values: values.slice(from),
  });
  const plot = (...lines: Line[]): Plot => ({ times, lines });
  /** A sum over the seconds before, times a factor. */
  const summed = (seconds: number, factor: number, pick: (one: Series) => number) =>
    runningSums(series.map(pick), seconds).map(sum => sum * factor);
  const perSecond = (pick: (one: Series) => number) => summed(SMOOTH, 1 / SMOOTH, pick);
  const perMinute = (pick: (one: Series) => number) => summed(MINUTE, 1, pick);
  return {
    requests: plot(
      line(
        'requests',
        1,
        perSecond(one => one.requests),
      ),
    ),
    tokens: plot(
      line(
        'answers',
        1,
        perSecond(one => one.completionTokens),
      ),
      line(
        'prompts',
        2,
        perSecond(one => one.promptTokens),
      ),
    ),
    latency: plot(
      line(
        'p50',
        1,
        series.map(one => one.latencyMs?.p50 ?? null),
      ),
      line(
        'p95',
        2,
        series.map(one => one.latencyMs?.p95 ?? null),
      ),
    ),
    firstToken: plot(
      line(
        'p50',
        1,
        series.map(one => one.firstTokenMs?.p50 ?? null),
      ),
      line(
        'p95',
        2,
        series.map(one => one.firstTokenMs?.p95 ?? null),
      ),
    ),
    cost: plot(
      line(
        'per hour',
        3,
        summed(MINUTE, 60, one => one.costUsd),
      ),
    ),
    errors: plot(
      ...categoriesOf(series.slice(from)).map(({ label, pick }, index) =>
        line(label, 4 + index, perMinute(pick)),
      ),
    ),
    events: plot(
      line(
        'fallbacks',
        2,
        perMinute(one => one.fallbacks),
      ),
      line(
        'cache hits',
        3,
        perMinute(one => one.cacheHits),
      ),
    ),
    ...(scope.of === 'all'
      ? {
          open: plot(
            line(
              'open',
              1,
              samples.map(({ inFlight }) => inFlight),
            ),
            line(
              'waiting',
              2,
              samples.map(({ waiting }) => waiting),
            ),
          ),
        }
      : {}),
  };
}

/** Of each place, the sum of so many values up to it. */
export function runningSums(values: readonly number[], length: number): number[] {
  let sum = 0;
  return values.map((value, index) => {
    sum += value - (values[index - length] ?? 0);
    // Additions and subtractions of dollars leave a rest.
    return Math.abs(sum) < 1e-12 ? 0 : sum;
  });
}

function categoriesOf(series: readonly Series[]): { label: string; pick(one: Series): number }[] {
  const counts = new Map<string, number>();
  for (const { errors } of series) {
    for (const [category, count] of Object.entries(errors)) {
      counts.set(category, (counts.get(category) ?? 0) + count);
    }
  }
  const names = [...counts]
    .sort(([a, some], [b, more]) => more - some || a.localeCompare(b))
    .map(([name]) => name);
  const [shown, rest] = [names.slice(0, MAX_CATEGORIES), names.slice(MAX_CATEGORIES)];
  const lines = shown.map(name => ({ label: name, pick: (one: Series) => one.errors[name] ?? 0 }));
  if (rest.length === 0) return lines;
  const pick = ({ errors }: Series) => rest.reduce((sum, name) => sum + (errors[name] ?? 0), 0);
  return [...lines, { label: 'others', pick }];
}

/** The names that had calls in these seconds, by dimension. */
export function namesIn(samples: readonly Sample[]): Record<'providers' | 'agents' | 'keys', string[]> {
  const of = (dimension: 'providers' | 'agents' | 'keys') =>
    [...new Set(samples.flatMap(sample => Object.keys(sample[dimension])))].sort();
  return { providers: of('providers'), agents: of('agents'), keys: of('keys') };
}
