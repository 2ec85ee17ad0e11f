import { describe, expect, it } from 'vitest';
import { compareRatios } from '../bench/regression.mjs';

const RATIO = 'airframe ÷ bare: text';

describe('the comparison of two runs', () => {
  it.each([
    ['a ratio that is to be small and grew', { limit: 2 }, 1, 1.2, true],
    ['one that grew within the tolerance', { limit: 2 }, 1, 1.1, false],
    ['one that fell', { limit: 2 }, 1, 0.5, false],
    ['a ratio that is to be large and fell', { atLeast: 0.9 }, 1.2, 1, true],
    ['one that rose', { atLeast: 0.9 }, 1, 1.5, false],
  ])('judges %s', (_what, bound, before, after, regressed) => {
    const rows = compareRatios(
      [{ aim: RATIO, value: before, ...bound }],
      [{ aim: RATIO, value: after, ...bound }],
      15,
    );
    expect(rows).toMatchObject([{ aim: RATIO, regressed }]);
  });

  it('leaves out what depends on the machine, and what only one run has', () => {
    const base = [{ aim: 'import, ms', value: 10, limit: 60 }];
    const change = [
      { aim: 'import, ms', value: 50, limit: 60 },
      { aim: RATIO, value: 9, limit: 1 },
    ];
    expect(compareRatios(base, change, 15)).toEqual([]);
  });
});
