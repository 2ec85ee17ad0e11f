import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { followLoad } from './load-progress.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the progress of a load', () => {
  it('is seen in the memory of the process while llama.cpp tells nothing', () => {
    const fractions: number[] = [];
    let memory = 500;
    const progress = followLoad(
      1000,
      fraction => fractions.push(fraction),
      () => memory,
    );
    for (const now of [500, 750, 1250, 9000]) {
      memory = now;
      vi.advanceTimersByTime(100);
    }
    expect(fractions).toEqual([0, 0.25, 0.75, 0.99]);
    progress.told(1);
    progress.end();
    memory = 10_000;
    vi.advanceTimersByTime(1_000);
    expect(fractions.at(-1)).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('never goes back', () => {
    const fractions: number[] = [];
    let memory = 0;
    const progress = followLoad(
      100,
      fraction => fractions.push(fraction),
      () => memory,
    );
    progress.told(0.5);
    memory = 40;
    vi.advanceTimersByTime(100);
    progress.told(0.1);
    memory = -10;
    vi.advanceTimersByTime(100);
    progress.told(0.6);
    progress.end();
    expect(fractions).toEqual([0, 0.5, 0.6]);
  });
});
