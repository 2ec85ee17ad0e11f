import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LoadStatus } from './loading.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('what is waited for', () => {
  it('is the answer, unless the model takes longer than a moment to load', () => {
    const status = new LoadStatus('pilot');
    expect(status.label()).toBe('waiting for pilot');
    status.onLoadProgress(0);
    expect(status.label()).toBe('waiting for pilot');
    vi.advanceTimersByTime(300);
    expect(status.label()).toBe(`loading pilot ${'░'.repeat(24)}   0 %`);
    status.onLoadProgress(0.509);
    expect(status.label()).toBe(`loading pilot ${'█'.repeat(12)}${'░'.repeat(12)}  50 %`);
    status.onLoadProgress(1);
    expect(status.label()).toBe('waiting for pilot');
  });

  it('begins anew with the next load, whether the one before came to an end or not', () => {
    const status = new LoadStatus('pilot');
    for (const fraction of [0, 1, 0, 0.5, 0.25]) {
      vi.advanceTimersByTime(1_000);
      status.onLoadProgress(fraction);
    }
    expect(status.label()).toBe('waiting for pilot');
    vi.advanceTimersByTime(300);
    expect(status.label()).toMatch(/^loading pilot █{6}░{18} {2}25 %$/);
  });
});

describe('where no line can be rewritten', () => {
  const loadFor = (ms: number) => {
    const said: string[] = [];
    const status = new LoadStatus('pilot', line => said.push(line));
    status.onLoadProgress(0);
    vi.advanceTimersByTime(ms / 2);
    status.onLoadProgress(0.5);
    vi.advanceTimersByTime(ms / 2);
    status.onLoadProgress(1);
    vi.advanceTimersByTime(10_000);
    return said;
  };

  it('one line tells of a load that takes two seconds', () => {
    expect(loadFor(30_000)).toEqual(['loading pilot']);
  });

  it('nothing is said of a shorter one', () => {
    expect(loadFor(1_900)).toEqual([]);
  });
});
