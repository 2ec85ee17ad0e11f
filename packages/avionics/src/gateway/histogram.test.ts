import { describe, expect, it } from 'vitest';
import { Histogram } from './histogram.ts';

describe('Histogram', () => {
  it('knows the percentiles to within 5 %', () => {
    const histogram = new Histogram();
    for (let ms = 1; ms <= 1000; ms++) histogram.add(ms);
    const { p50, p95, p99 } = histogram.percentiles();
    expect(Math.abs(p50 / 500 - 1)).toBeLessThan(0.05);
    expect(Math.abs(p95 / 950 - 1)).toBeLessThan(0.05);
    expect(Math.abs(p99 / 990 - 1)).toBeLessThan(0.05);
    expect(histogram.mean).toBeCloseTo(500.5, 6);
  });

  it('takes any time there is', () => {
    const histogram = new Histogram();
    expect(histogram.percentiles()).toEqual({ p50: 0, p95: 0, p99: 0 });
    expect(histogram.mean).toBe(0);
    histogram.add(0);
    histogram.add(1e12);
    expect(histogram.percentiles().p50).toBeLessThan(0.02);
    expect(histogram.percentiles().p99).toBeGreaterThan(1e7);
  });
});
