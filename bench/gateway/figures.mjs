// From what a round saw to what is told.
import { median } from '../report.mjs';

/** @returns the value that such a share of all are not above (nearest rank) */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)];
}

/**
 * One round of calls.
 * @param seen what the load generator tells of it
 * @param cpuMicros what the server's process used meanwhile; undefined: nobody's
 */
export function roundOf({ requests, tookMs, first, last }, cpuMicros) {
  return {
    requestsPerSecond: (requests / tookMs) * 1_000,
    ...(cpuMicros !== undefined && { cpuMicros: cpuMicros / requests }),
    first,
    last,
  };
}

/** The medians of the rounds of a row, and what it adds to the latencies of the `direct` one, round by round. */
export function summaryOf(result, direct, floor) {
  if (result.failure !== undefined || result.rounds.length === 0) return result;
  const { rounds } = result;
  const over = of =>
    rounds.map((round, at) => of(round) - (usable(direct) ? of(direct.rounds[at]) : Number.NaN));
  const times = of => ({
    p50: median(rounds.map(round => of(round).p50)),
    p99: median(rounds.map(round => of(round).p99)),
    addedP50: median(over(round => of(round).p50)),
    addedP99: median(over(round => of(round).p99)),
  });
  const cpu = rounds[0].cpuMicros !== undefined && {
    cpuMicros: median(rounds.map(({ cpuMicros }) => cpuMicros)),
  };
  return {
    ...result,
    requestsPerSecond: median(rounds.map(({ requestsPerSecond }) => requestsPerSecond)),
    ...cpu,
    cpuRatio: ratioOf(result, floor, 'cpuMicros'),
    first: times(({ first }) => first),
    last: times(({ last }) => last),
  };
}

/** How much more one row has of something than another: the median over the rounds, each compared within itself. */
export function ratioOf(result, other, key) {
  if (!usable(result) || !usable(other)) return undefined;
  const ratios = result.rounds.map((round, at) => round[key] / other.rounds[at][key]);
  return ratios.some(Number.isNaN) ? undefined : median(ratios);
}

/**
 * CPU microseconds that an event more costs: the slope between answers of few events and of many.
 * @param few `{ events, result }`
 * @param many `{ events, result }`
 */
export function microsPerEvent(few, many) {
  if (!usable(few.result) || !usable(many.result)) return undefined;
  const slopes = few.result.rounds.map(
    ({ cpuMicros }, at) => (many.result.rounds[at].cpuMicros - cpuMicros) / (many.events - few.events),
  );
  return slopes.some(Number.isNaN) ? undefined : median(slopes);
}

const usable = result => result !== undefined && result.failure === undefined && result.rounds.length > 0;
