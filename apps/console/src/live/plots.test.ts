import { describe, expect, it } from 'vitest';
import type { Sample, Series } from '../contract.ts';
import { namesIn, plotsOf, runningSums } from './plots.ts';

const series = (changes: Partial<Series> = {}): Series => ({
  ...{
    requests: 0,
    errors: {},
    promptTokens: 0,
    completionTokens: 0,
    costUsd: 0,
    fallbacks: 0,
    cacheHits: 0,
  },
  ...changes,
});
const seconds = (all: Series[], more: Partial<Sample> = {}): Sample[] =>
  all.map((one, index) => ({
    ...{ at: index * 1000, inFlight: index, waiting: 0, all: one },
    ...{ providers: {}, agents: {}, keys: {} },
    ...more,
  }));
const valuesOf = (plot: { lines: { values: (number | null)[] }[] } | undefined) =>
  plot?.lines.map(({ values }) => values);

describe('the charts', () => {
  it('show rates as means of five seconds, and rare events by the minute', () => {
    const [burst, calm] = [series({ requests: 10, costUsd: 0.5, fallbacks: 1 }), series()];
    const plots = plotsOf(seconds([burst, calm, calm, calm, calm, calm]), { of: 'all' });
    expect(valuesOf(plots.requests)).toEqual([[2, 2, 2, 2, 2, 0]]);
    expect(valuesOf(plots.cost)).toEqual([[30, 30, 30, 30, 30, 30]]);
    expect(valuesOf(plots.events)?.[0]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(plots.requests.times).toEqual([0, 1, 2, 3, 4, 5]);
    expect(valuesOf(plots.open)?.[0]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('show percentiles as means of ten seconds, by their calls, with a gap where there was none', () => {
    const [slow, fast] = [
      series({ requests: 1, latencyMs: { p50: 8, p95: 9 } }),
      series({ requests: 3, latencyMs: { p50: 4, p95: 5 } }),
    ];
    const silence = Array.from({ length: 10 }, () => series());
    const { latency } = plotsOf(seconds([series(), slow, fast, ...silence]), { of: 'all' });
    const p50 = valuesOf(latency)?.[0] ?? [];
    expect([p50.slice(0, 4), p50.slice(-2)]).toEqual([
      [null, 8, 5, 5],
      [4, null],
    ]);
  });

  it('show the most frequent errors by name, and the rest together', () => {
    const errors = { timeout: 5, auth: 1, quota: 2, parse: 2, backend: 9, unknown: 3 };
    const { lines } = plotsOf(seconds([series({ errors })]), { of: 'all' }).errors;
    expect(lines.map(({ label, values }) => [label, values[0]])).toEqual([
      ...[
        ['backend', 9],
        ['timeout', 5],
        ['unknown', 3],
        ['others', 5],
      ],
    ]);
  });

  it('are of one agent alone, when asked', () => {
    const samples = seconds([series({ requests: 5 }), series()], {
      agents: { bot: series({ requests: 5 }) },
    });
    const plots = plotsOf(samples, { of: 'agents', name: 'bot' });
    expect(valuesOf(plots.requests)).toEqual([[1, 2]]);
    expect(plots.open).toBeUndefined();
    expect(valuesOf(plotsOf(samples, { of: 'keys', name: 'gone' }).requests)).toEqual([[0, 0]]);
    expect(namesIn(samples)).toEqual({ providers: [], agents: ['bot'], keys: [] });
  });

  it('show five minutes and mean over what was before', () => {
    const plots = plotsOf(seconds(Array.from({ length: 360 }, () => series({ requests: 1 }))), { of: 'all' });
    expect(plots.requests.times).toHaveLength(300);
    expect(valuesOf(plots.requests)?.[0]?.[0]).toBe(1);
  });
});

it('sums without a rest of rounding', () => {
  expect(runningSums([0.1, 0.2, 0, 0], 2)).toEqual([0.1, expect.closeTo(0.3), expect.closeTo(0.2), 0]);
});
