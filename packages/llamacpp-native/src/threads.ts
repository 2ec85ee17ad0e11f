import { availableParallelism } from 'node:os';
import { cgroupFolders, type ReadFile, readSystemFile } from './system-files.ts';

/**
 * More hardly help: making a token is reading all weights once, and memory can be read no faster. Of 64 cores on 4
 * memory channels, 48 threads were the best, 8 % less time a token than 32, and 56 took more again (ggml-org/llama.cpp
 * issue 34); on 16 cores it ended between 8 and 16 (issue 163).
 */
const MAX_THREADS = 32;

/**
 * Threads for evaluation on so many cores: all but one, which stays for Node's own thread and whatever else
 * runs. llama.cpp's threads wait for each other by spinning, several times a layer; as soon as one of them has
 * no core to itself, all the others burn theirs. Measured on two busy cores (tokens/s, 94 M parameters): 1
 * thread 50–60, 2 threads 2–17; a small model with 4 threads: 0.8 instead of 800.
 *
 * @param cores as the system counts them, hyperthreads included
 * @param physical cores without their hyperthreads: two threads on one core share what does the sums. Where there are
 * fewer than `cores`, Node's thread finds room beside them.
 */
export function defaultThreads(cores: number, physical: number = cores): number {
  return Math.max(1, Math.min(Math.floor(cores) - 1, physical, MAX_THREADS));
}

/** Cores this process may use: what the scheduler grants it (affinity), cut by the container's CPU quota. */
export function availableCores(read: ReadFile = readSystemFile): number {
  return Math.max(1, Math.floor(Math.min(availableParallelism(), cpuQuota(read))));
}

/**
 * Cores without their hyperthreads, among those the scheduler grants this process. Where the system does not tell
 * (it does on Linux), Infinity.
 */
export function physicalCores(read: ReadFile = readSystemFile): number {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(read('/proc/self/status') ?? '')?.[1];
  const cores = new Set<string>();
  for (const cpu of cpusIn(allowed ?? '')) {
    const siblings = read(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`);
    if (siblings === undefined) return Number.POSITIVE_INFINITY;
    cores.add(siblings.trim());
  }
  return cores.size > 0 ? cores.size : Number.POSITIVE_INFINITY;
}

/** The CPUs of a list such as `0-3,8`. */
function cpusIn(list: string): number[] {
  return list.split(',').flatMap(range => {
    const [first, last = first] = range.split('-').map(Number);
    if (range === '' || first === undefined || last === undefined) return [];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** The CPU quota in cores, the least of all cgroups around this process, version 2 or 1; Infinity when there is none. */
export function cpuQuota(read: ReadFile): number {
  const v2 = cgroupFolders(read).map(folder => {
    const [max, period] = (read(`${folder}/cpu.max`) ?? '').trim().split(/\s+/);
    return quotient(max, period);
  });
  const v1 = cgroupFolders(read, 'cpu').map(folder =>
    quotient(read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)),
  );
  return Math.min(...v2, ...v1);
}

/** Both files write "none" as something that is no positive number: `max` and `-1`. */
function quotient(quota: string | undefined, period: string | undefined): number {
  const cores = Number(quota) / Number(period);
  return cores > 0 ? cores : Number.POSITIVE_INFINITY;
}
