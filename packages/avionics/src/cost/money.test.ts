import { describe, expect, it } from 'vitest';
import { CostSum, formatUsd, fromNanoUsd, toNanoUsd } from './money.ts';

describe('a sum of costs', () => {
  it('of a million tiny ones is exact to the last digit, also on top of a large one', () => {
    for (const start of [0, 123_456.78]) {
      const sum = new CostSum();
      sum.add(start);
      let plain = start;
      for (let i = 0; i < 1_000_000; i++) {
        const cost = (i % 7) * 1.5e-9 + 1e-7;
        sum.add(cost);
        plain += cost;
      }
      // 142,857 whole rounds of 0 + 1 + … + 6, and then 0.
      const picoUsd = 1_000_000n * 100_000n + 142_857n * 21n * 1_500n;
      const exact = start + Number(picoUsd) / 1e12;
      expect(sum.usd).toBe(exact);
      expect(plain).not.toBe(exact);
    }
  });

  it('is the same in whatever order', () => {
    const sum = new CostSum();
    for (const usd of [1e-9, 5e6, -5e6, 1e-9]) sum.add(usd);
    expect(sum.usd).toBe(2e-9);
    expect(new CostSum().usd).toBe(0);
  });
});

describe('nano-USD', () => {
  it.each([
    [0.29, 290_000_000],
    [0.1 + 0.2, 300_000_000],
    [0.000_000_001, 1],
    [0, 0],
    [-0.25, -250_000_000],
  ])('of %d are %d, however they are rounded', (usd, nano) => {
    expect(toNanoUsd(usd)).toBe(nano);
    expect(toNanoUsd(usd, 'up')).toBe(nano);
    expect(fromNanoUsd(nano)).toBeCloseTo(usd, 12);
  });

  it('are rounded up where something is reserved', () => {
    expect(toNanoUsd(1.4e-9)).toBe(1);
    expect(toNanoUsd(1.4e-9, 'up')).toBe(2);
    expect(toNanoUsd(1e-15, 'up')).toBe(1);
    expect(Object.is(toNanoUsd(-1e-15, 'up'), 0)).toBe(true);
  });

  it.each([1e7, Number.NaN, Number.POSITIVE_INFINITY])('of %d are refused', usd => {
    expect(() => toNanoUsd(usd)).toThrow(
      `${usd} USD cannot be counted in billionths; amounts go up to 9 million`,
    );
  });
});

describe('an amount for people', () => {
  it.each([
    [0, '$0.00'],
    [-0, '$0.00'],
    [1234.567, '$1234.57'],
    [1, '$1.00'],
    [0.5, '$0.50'],
    [0.03, '$0.03'],
    [0.0945, '$0.0945'],
    [0.009_999, '$0.01'],
    [0.000_215, '$0.000215'],
    [0.000_000_02, '$0.00000002'],
    [0.999_999, '$1.00'],
    [1e-12, '<$0.000000001'],
    [-0.003, '-$0.003'],
    [-1e-12, '>-$0.000000001'],
  ])('of %d is %s', (usd, text) => {
    expect(formatUsd(usd)).toBe(text);
  });

  it('never looks like nothing when it is something', () => {
    for (let exponent = 0; exponent < 30; exponent++)
      expect(formatUsd(1.7 * 10 ** -exponent)).toMatch(/[1-9]/);
  });
});
