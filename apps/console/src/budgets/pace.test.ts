import { expect, it } from 'vitest';
import type { Budget } from '../contract.ts';
import { burnDown, paceOf } from './pace.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const budget = (changes: Partial<Budget> = {}): Budget => ({
  ...{
    rule: 'daily',
    scope: 'all',
    unit: 'usd',
    window: 'day',
    limit: 10,
    spent: 0,
    reserved: 0,
    resetsAt: DAY,
  },
  ...changes,
});

it('tells when a budget is used up at the pace so far', () => {
  const pace = paceOf(budget({ spent: 6 }), 6 * HOUR);
  expect(pace).toEqual({ startsAt: 0, resetsAt: DAY, left: 4, used: 0.6, elapsed: 0.25, emptyAt: 10 * HOUR });
  expect(paceOf(budget({ spent: 2 }), 6 * HOUR).emptyAt).toBeUndefined();
  expect(paceOf(budget(), 6 * HOUR).emptyAt).toBeUndefined();
  expect(paceOf(budget({ spent: 11 }), 6 * HOUR)).toMatchObject({ left: 0, used: 1.1, emptyAt: 6 * HOUR });
});

it('counts what calls under way hold as used', () => {
  expect(paceOf(budget({ spent: 1, reserved: 2 }), HOUR)).toMatchObject({ left: 7, used: 0.3 });
});

it('knows months and windows in milliseconds', () => {
  const march = Date.UTC(2026, 2, 1);
  const february = paceOf(budget({ window: 'month', resetsAt: march }), march - 14 * DAY);
  expect([february.startsAt, february.elapsed]).toEqual([Date.UTC(2026, 1, 1), 0.5]);
  expect(paceOf(budget({ window: '5000', resetsAt: 10_000 }), 6000)).toMatchObject({
    startsAt: 5000,
    elapsed: 0.2,
  });
});

it('draws what was left from the beginning of the window to now', () => {
  const trail = [
    { at: -5, spent: 9 },
    { at: 6 * HOUR, spent: 2.5 },
  ];
  const of = budget({ spent: 5 });
  expect(burnDown(of, paceOf(of, 12 * HOUR), trail, 12 * HOUR)).toEqual([
    [0, 1],
    [0.25, 0.75],
    [0.5, 0.5],
  ]);
});
