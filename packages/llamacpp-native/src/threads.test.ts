import { describe, expect, it } from 'vitest';
import { availableCores, cpuQuota, defaultThreads, physicalCores } from './threads.ts';

const files = (contents: Record<string, string>) => (file: string) => contents[file];

describe('defaultThreads', () => {
  it('leaves one core to everything else', () => {
    expect([2, 4, 16].map(cores => defaultThreads(cores))).toEqual([1, 3, 15]);
  });

  it('is one where there is one core or less', () => {
    expect([1, 0.5].map(cores => defaultThreads(cores))).toEqual([1, 1]);
  });

  it('is one for each core, not for its hyperthreads, beside which Node has room', () => {
    expect(defaultThreads(2, 1)).toBe(1);
    expect(defaultThreads(8, 4)).toBe(4);
    expect(defaultThreads(8, Number.POSITIVE_INFINITY)).toBe(7);
  });

  it('does not grow where more would only wait for memory', () => {
    expect([32, 33, 64, 256].map(cores => defaultThreads(cores))).toEqual([31, 32, 32, 32]);
    expect(defaultThreads(128, 64)).toBe(32);
  });
});

describe('physicalCores', () => {
  /** Two hyperthreads a core, numbered as most machines do: 0 and 4 are one core. */
  const machine = (allowed: string) =>
    files({
      '/proc/self/status': `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${allowed}\nMems_allowed:\t1\n`,
      ...Object.fromEntries(
        Array.from({ length: 8 }, (_, cpu) => [
          `/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`,
          `${cpu % 4},${(cpu % 4) + 4}\n`,
        ]),
      ),
    });

  it('counts hyperthreads of one core once', () => {
    expect(physicalCores(machine('0-7'))).toBe(4);
  });

  it('counts only what this process may use', () => {
    expect(physicalCores(machine('0,4'))).toBe(1);
    expect(physicalCores(machine('0-1,6-7'))).toBe(4);
  });

  it('is no limit where nothing is told', () => {
    expect(physicalCores(files({}))).toBe(Number.POSITIVE_INFINITY);
    expect(physicalCores(machine('0-15'))).toBe(Number.POSITIVE_INFINITY);
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

  it('is the least of a cgroup and those around it', () => {
    const nested = files({
      '/proc/self/cgroup': '0::/jobs/7\n',
      '/sys/fs/cgroup/jobs/7/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/jobs/cpu.max': '300000 100000\n',
      '/sys/fs/cgroup/cpu.max': '800000 100000\n',
    });
    expect(cpuQuota(nested)).toBe(3);
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
