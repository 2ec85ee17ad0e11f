import { describe, expect, it } from 'vitest';
import { availableCores, cpuQuota, defaultThreads } from './threads.ts';

const files = (contents: Record<string, string>) => (file: string) => contents[file];

describe('defaultThreads', () => {
  it('leaves one core to everything else', () => {
    expect([2, 4, 16].map(defaultThreads)).toEqual([1, 3, 15]);
  });

  it('is one where there is one core or less', () => {
    expect([1, 0.5].map(defaultThreads)).toEqual([1, 1]);
  });
});

describe('cpuQuota', () => {
  it('reads cgroup v2', () => {
    expect(cpuQuota(files({ '/sys/fs/cgroup/cpu.max': '250000 100000\n' }))).toBe(2.5);
    expect(cpuQuota(files({ '/sys/fs/cgroup/cpu.max': 'max 100000\n' }))).toBe(Number.POSITIVE_INFINITY);
  });

  it('reads cgroup v1', () => {
    const v1 = (quota: string) =>
      files({
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': quota,
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      });
    expect(cpuQuota(v1('150000\n'))).toBe(1.5);
    expect(cpuQuota(v1('-1\n'))).toBe(Number.POSITIVE_INFINITY);
  });

  it('is no limit where there is no cgroup', () => {
    expect(cpuQuota(files({}))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('availableCores', () => {
  it('counts whole cores of a quota, and at least one', () => {
    expect(availableCores(files({ '/sys/fs/cgroup/cpu.max': '190000 100000' }))).toBe(1);
    expect(availableCores(files({ '/sys/fs/cgroup/cpu.max': '50000 100000' }))).toBe(1);
  });
});
