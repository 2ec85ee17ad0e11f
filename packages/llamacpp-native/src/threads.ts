import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * Threads for evaluation on so many cores: all but one, which stays for Node's own thread and whatever else
 * runs. llama.cpp's threads wait for each other by spinning, several times a layer; as soon as one of them has
 * no core to itself, all the others burn theirs. Measured on two busy cores (tokens/s, 94 M parameters): 1
 * thread 50–60, 2 threads 2–17; a small model with 4 threads: 0.8 instead of 800.
 */
export function defaultThreads(cores: number): number {
  return Math.max(1, Math.floor(cores) - 1);
}

/** Cores this process may use: what the scheduler grants it (affinity), cut by the container's CPU quota. */
export function availableCores(read: (file: string) => string | undefined = readText): number {
  return Math.max(1, Math.floor(Math.min(availableParallelism(), cpuQuota(read))));
}

/** The CPU quota of the cgroup in cores, version 2 or 1; Infinity when there is none. */
export function cpuQuota(read: (file: string) => string | undefined): number {
  const [max, period] = (read('/sys/fs/cgroup/cpu.max') ?? '').trim().split(/\s+/);
  if (max !== undefined && period !== undefined) return quotient(max, period);
  const quota = read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us');
  const interval = read('/sys/fs/cgroup/cpu/cpu.cfs_period_us');
  return quota !== undefined && interval !== undefined ? quotient(quota, interval) : Number.POSITIVE_INFINITY;
}

/** Both files write "none" as something that is no positive number: `max` and `-1`. */
function quotient(quota: string, period: string): number {
  const cores = Number(quota) / Number(period);
  return cores > 0 ? cores : Number.POSITIVE_INFINITY;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
