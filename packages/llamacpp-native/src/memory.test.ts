import { describe, expect, it } from 'vitest';
import { availableMemory, type MemorySystem } from './memory.ts';
import { cgroupFolders } from './system-files.ts';

const GB = 1024 ** 3;
const machine = (files: Record<string, string>, more: Partial<MemorySystem> = {}): MemorySystem => ({
  read: path => files[path],
  platform: 'linux',
  free: () => 1 * GB,
  total: () => 16 * GB,
  ...more,
});
const meminfo = {
  '/proc/meminfo': 'MemTotal:       16777216 kB\nMemFree:         1048576 kB\nMemAvailable:    8388608 kB\n',
};

describe('the memory that is available', () => {
  it('is what Linux says, with what only caches files', () => {
    expect(availableMemory(machine(meminfo))).toBe(8 * GB);
  });

  it('is what a cgroup of version 2 leaves, its file cache not counted as used', () => {
    const files = {
      ...meminfo,
      '/proc/self/cgroup': '0::/app\n',
      '/sys/fs/cgroup/app/memory.max': `${4 * GB}\n`,
      '/sys/fs/cgroup/app/memory.current': `${3 * GB}\n`,
      '/sys/fs/cgroup/app/memory.stat': `anon ${GB}\ninactive_file ${GB}\nactive_file ${GB / 2}\nslab 7\n`,
    };
    expect(availableMemory(machine(files))).toBe(2.5 * GB);
    expect(availableMemory(machine({ ...files, '/sys/fs/cgroup/app/memory.max': 'max\n' }))).toBe(8 * GB);
  });

  it('is what a cgroup further up leaves, if that is less', () => {
    const files = {
      ...meminfo,
      '/proc/self/cgroup': '0::/user/app\n',
      '/sys/fs/cgroup/user/app/memory.max': `${6 * GB}`,
      '/sys/fs/cgroup/user/app/memory.current': '0',
      '/sys/fs/cgroup/user/memory.max': `${5 * GB}`,
      '/sys/fs/cgroup/user/memory.current': `${2 * GB}`,
    };
    expect(availableMemory(machine(files))).toBe(3 * GB);
  });

  it('is what a cgroup of version 1 leaves', () => {
    const files = {
      ...meminfo,
      '/proc/self/cgroup': '5:cpuset:/\n4:memory:/jobs/7\n0::/\n',
      '/sys/fs/cgroup/memory/jobs/7/memory.limit_in_bytes': `${2 * GB}`,
      '/sys/fs/cgroup/memory/jobs/7/memory.usage_in_bytes': `${1.5 * GB}`,
      '/sys/fs/cgroup/memory/jobs/7/memory.stat': `total_inactive_file ${GB / 4}\ntotal_active_file ${GB / 4}\n`,
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${9 * GB}`,
    };
    expect(availableMemory(machine(files))).toBe(1 * GB);
  });

  it('is nothing, not less, in a cgroup that is over its limit', () => {
    const files = { '/sys/fs/cgroup/memory.max': '5', '/sys/fs/cgroup/memory.current': '9' };
    expect(availableMemory(machine({ ...meminfo, ...files }))).toBe(0);
  });

  it('is elsewhere what the system calls free, but on macOS, where that says nothing, all there is', () => {
    expect(availableMemory(machine({}, { platform: 'win32' }))).toBe(1 * GB);
    expect(availableMemory(machine({}, { platform: 'darwin' }))).toBe(16 * GB);
  });

  it('is found on the machine these tests run on', () => {
    expect(availableMemory()).toBeGreaterThan(50_000_000);
    expect(availableMemory()).toBeLessThan(Number.POSITIVE_INFINITY);
  });
});

describe('the cgroups of a process', () => {
  const read = (path: string) => (path === '/proc/self/cgroup' ? '3:cpu,cpuacct:/a\n0::/b/c\n' : undefined);

  it('go from its own to the root', () => {
    expect(cgroupFolders(read)).toEqual(['/sys/fs/cgroup/b/c', '/sys/fs/cgroup/b', '/sys/fs/cgroup']);
    expect(cgroupFolders(read, 'cpu')).toEqual(['/sys/fs/cgroup/cpu/a', '/sys/fs/cgroup/cpu']);
  });

  it('are the root alone where nothing is told', () => {
    expect(cgroupFolders(() => undefined)).toEqual(['/sys/fs/cgroup']);
    expect(cgroupFolders(read, 'memory')).toEqual(['/sys/fs/cgroup/memory']);
  });
});
