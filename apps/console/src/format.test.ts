import { expect, it } from 'vitest';
import { count, duration, percent, rate, span, usd } from './format.ts';

it('writes durations in the unit that reads best', () => {
  const written = [0, 0.42, 320, 999.6, 1234, 12_345, 59_960, 65_000].map(duration);
  expect(written).toEqual([
    ...['0 ms', '0.4 ms', '320 ms', '1.00 s', '1.23 s', '12.3 s', '1 min', '1 min 5 s'],
  ]);
  expect(duration(undefined)).toBe('–');
});

it('writes long times in two units', () => {
  expect([0, 59_400, 3_600_000, 12_000_000, 187_200_000].map(span)).toEqual([
    ...['0 s', '59 s', '1 h', '3 h 20 min', '2 d 4 h'],
  ]);
});

it('writes small amounts of money with two digits that count', () => {
  expect([0, 1e-12, 0.000042, 0.00042, 0.0525, 0.5, 1.2, 1234.5].map(usd)).toEqual([
    ...['$0', '<$0.000000001', '$0.000042', '$0.00042', '$0.052', '$0.50', '$1.20', '$1,235'],
  ]);
});

it('writes counts, rates and shares no longer than they need to be', () => {
  expect([0, 9999, 12_345, 4_000_000].map(count)).toEqual(['0', '9,999', '12.3K', '4M']);
  expect([0, 0.25, 3.44, 119.6, 15_400].map(rate)).toEqual(['0', '0.25', '3.4', '120', '15.4K']);
  expect([0, 0.004, 0.371, 1].map(percent)).toEqual(['0 %', '0.4 %', '37 %', '100 %']);
});
