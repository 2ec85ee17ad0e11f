import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Settlements } from './settlements.ts';

const HOUR_MS = 3_600_000;

describe('settlements that wait', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const settlement = (id: string, endsAt: number) => ({
    id,
    charges: [{ key: 'k', startsAt: 0, endsAt, amount: 1 }],
  });
  const idsOf = (taken: ReturnType<Settlements['take']>) => taken.map(({ settlement: { id } }) => id);

  it('come out in their order, some at a time', () => {
    const kept = new Settlements(HOUR_MS);
    for (const id of ['a', 'b', 'c']) kept.add(settlement(id, 1), undefined);
    expect(idsOf(kept.take(2))).toEqual(['a', 'b']);
    expect(idsOf(kept.take(2))).toEqual(['c']);
    expect(kept.size).toBe(0);
  });

  it('are left out when their windows are over, or when they might count twice', () => {
    const kept = new Settlements(HOUR_MS);
    kept.add(settlement('minute', 60_000), undefined);
    kept.add(settlement('day, sent', 24 * HOUR_MS), 0);
    kept.add(settlement('day, never sent', 24 * HOUR_MS), undefined);
    vi.setSystemTime(2 * HOUR_MS);
    expect(idsOf(kept.take(10))).toEqual(['day, never sent']);
  });

  it('are given up from the oldest on when there are too many, and counted', () => {
    const kept = new Settlements(HOUR_MS);
    for (let i = 0; i < 20_002; i++) kept.add(settlement(String(i), 1), undefined);
    expect({ size: kept.size, dropped: kept.dropped }).toEqual({ size: 20_000, dropped: 2 });
    expect(idsOf(kept.take(1))).toEqual(['2']);
  });
});
