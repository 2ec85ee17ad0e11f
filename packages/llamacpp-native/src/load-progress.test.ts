import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { followLoad } from './load-progress.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A load of so many bytes, in a process whose memory the test decides. */
function follow(bytes: number, memory: number) {
  const fractions: number[] = [];
  const system = { memory };
  const progress = followLoad(
    bytes,
    fraction => fractions.push(fraction),
    () => system.memory,
  );
  return { fractions, system, progress };
}

describe('the progress of a load', () => {
  it('is seen in the memory of the process while llama.cpp tells nothing', () => {
    const { fractions, system, progress } = follow(1000, 500);
    for (const now of [500, 750, 1250, 9000]) {
      system.memory = now;
      vi.advanceTimersByTime(100);
    }
    expect(fractions).toEqual([0, 0.25, 0.75, 0.99]);
    progress.told(1);
    progress.end();
    expect(fractions.at(-1)).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('never goes back', () => {
    const { fractions, system, progress } = follow(100, 0);
    progress.told(0.5);
    system.memory = 40;
    vi.advanceTimersByTime(100);
    progress.told(0.1);
    system.memory = -10;
    vi.advanceTimersByTime(100);
    progress.told(0.6);
    expect(fractions).toEqual([0, 0.5, 0.6]);
  });
});
