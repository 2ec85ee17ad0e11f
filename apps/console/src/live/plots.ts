import type { Sample, Series } from '../contract.ts';
import type { ConsoleState } from '../feed/state.ts';

/** Whose calls are looked at. */
export type Scope = { of: 'all' } | { of: 'providers' | 'agents' | 'keys'; name: string };

/** Seconds that a chart shows. */
export const SHOWN = 300;
/** Rates are means over so many seconds: single calls are no peaks. */
const SMOOTH = 5;
/** So are the percentiles: those of a second are often a single call's. */
const SMOOTH_TIMES = 10;
/** Costs and rare events are told over a minute. */
const MINUTE = 60;
/** Of the errors that have a line of their own, and of all others. */
const ERROR_COLOURS = [4, 5, 6];
const OTHERS_COLOUR = 9;

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
  const plot = (...lines: Line[]): Plot => ({
    times,
    lines: lines.map(line => ({ ...line, values: line.values.slice(from) })),
  });
  const perSecond = (pick: Pick) => summed(series, pick, SMOOTH).map(sum => sum / SMOOTH);
  const perMinute = (pick: Pick) => summed(series, pick, MINUTE);
  const perHour = (pick: Pick) => perMinute(pick).map(sum => sum * 60);
  const errors = categoriesOf(series.slice(from));
  return {
    requests: plot({ label: 'requests', colour: 1, values: perSecond(one => one.requests) }),
    tokens: plot(
      { label: 'answers', colour: 1, values: perSecond(one => one.completionTokens) },
      { label: 'prompts', colour: 2, values: perSecond(one => one.promptTokens) },
    ),
    latency: plot(...percentiles(series, one => one.latencyMs)),
    firstToken: plot(...percentiles(series, one => one.firstTokenMs)),
    cost: plot({ label: 'per hour', colour: 3, values: perHour(one => one.costUsd) }),
    errors: plot(...errors.map(({ label, colour, pick }) => ({ label, colour, values: perMinute(pick) }))),
    events: plot(
      { label: 'fallbacks', colour: 2, values: perMinute(one => one.fallbacks) },
      { label: 'cache hits', colour: 3, values: perMinute(one => one.cacheHits) },
    ),
    ...(scope.of === 'all' ? { open: plot(...openCalls(samples)) } : {}),
  };
}

type Pick = (one: Series) => number;

function openCalls(samples: ConsoleState['samples']): Line[] {
  return [
    { label: 'open', colour: 1, values: samples.map(({ inFlight }) => inFlight) },
    { label: 'waiting', colour: 2, values: samples.map(({ waiting }) => waiting) },
  ];
}

function percentiles(series: readonly Series[], pick: (one: Series) => Series['latencyMs']): Line[] {
  return [
    { label: 'p50', colour: 1, values: means(series, one => pick(one)?.p50) },
    { label: 'p95', colour: 2, values: means(series, one => pick(one)?.p95) },
  ];
}

/** Of each second, the sum over the seconds up to it. */
function summed(series: readonly Series[], pick: Pick, length: number): number[] {
  return runningSums(series.map(pick), length);
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

/** Of each place, the mean of the places up to it, by their calls; null: there was none. */
function means(series: readonly Series[], pick: (one: Series) => number | undefined): (number | null)[] {
  const calls = series.map(one => (pick(one) === undefined ? 0 : one.requests));
  const weighted = series.map((one, index) => (pick(one) ?? 0) * (calls[index] ?? 0));
  const counts = runningSums(calls, SMOOTH_TIMES);
  return runningSums(weighted, SMOOTH_TIMES).map((sum, index) =>
    counts[index] ? sum / counts[index] : null,
  );
}

/** The most frequent errors by name, in an order and in colours that stay while they do, and the rest together. */
function categoriesOf(series: readonly Series[]): { label: string; colour: number; pick: Pick }[] {
  const counts = new Map<string, number>();
  for (const { errors } of series) {
    for (const [category, count] of Object.entries(errors)) {
      counts.set(category, (counts.get(category) ?? 0) + count);
    }
  }
  const names = [...counts]
    .sort(([a, some], [b, more]) => more - some || a.localeCompare(b))
    .map(([name]) => name);
  const rest = names.splice(ERROR_COLOURS.length);
  const lines = names.sort().map((name, index) => ({
    label: name,
    colour: ERROR_COLOURS[index] ?? OTHERS_COLOUR,
    pick: ({ errors }: Series) => errors[name] ?? 0,
  }));
  if (rest.length === 0) return lines;
  const pick = ({ errors }: Series) => rest.reduce((sum, name) => sum + (errors[name] ?? 0), 0);
  return [...lines, { label: 'others', colour: OTHERS_COLOUR, pick }];
}

/** The names that had calls in these seconds, by dimension. */
export function namesIn(samples: readonly Sample[]): Record<'providers' | 'agents' | 'keys', string[]> {
  const of = (dimension: 'providers' | 'agents' | 'keys') =>
    [...new Set(samples.flatMap(sample => Object.keys(sample[dimension])))].sort();
  return { providers: of('providers'), agents: of('agents'), keys: of('keys') };
}
