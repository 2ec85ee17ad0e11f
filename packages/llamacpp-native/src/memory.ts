import { freemem, totalmem } from 'node:os';
import { cgroupFolders, type ReadFile, readSystemFile } from './system-files.ts';

/** What is asked about memory; tests invent machines with it. Bytes. */
export interface MemorySystem {
  read: ReadFile;
  platform: NodeJS.Platform;
  free(): number;
  total(): number;
}

const THIS_SYSTEM: MemorySystem = {
  read: readSystemFile,
  platform: process.platform,
  free: freemem,
  total: totalmem,
};

/**
 * Bytes this process could have before something is killed or swapped: what the machine has to spare and what each
 * cgroup around the process still grants, whichever is least. Memory that only caches files is to spare.
 */
export function availableMemory(system: MemorySystem = THIS_SYSTEM): number {
  const { read } = system;
  return Math.max(0, Math.min(ofMachine(system), ...cgroupV2(read), ...cgroupV1(read)));
}

function ofMachine({ read, platform, free, total }: MemorySystem): number {
  const kilobytes = /^MemAvailable:\s*(\d+) kB$/m.exec(read('/proc/meminfo') ?? '')?.[1];
  if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  // What macOS calls free is what it has no use for, a few megabytes of many gigabytes (libuv issue 3897).
  return platform === 'darwin' ? total() : free();
}

function cgroupV2(read: ReadFile): number[] {
  return cgroupFolders(read).map(folder =>
    left(
      read(`${folder}/memory.max`),
      read(`${folder}/memory.current`),
      read(`${folder}/memory.stat`),
      /^(?:in)?active_file (\d+)$/gm,
    ),
  );
}

function cgroupV1(read: ReadFile): number[] {
  return cgroupFolders(read, 'memory').map(folder =>
    left(
      read(`${folder}/memory.limit_in_bytes`),
      read(`${folder}/memory.usage_in_bytes`),
      read(`${folder}/memory.stat`),
      /^total_(?:in)?active_file (\d+)$/gm,
    ),
  );
}

/** What a limit leaves; Infinity without one. "None" is `max` in version 2, a number beyond all memory in 1. */
function left(limit: string | undefined, usage: string | undefined, stat = '', cachePattern: RegExp): number {
  if (limit === undefined || usage === undefined || limit.trim() === 'max') return Number.POSITIVE_INFINITY;
  let cache = 0;
  for (const [, bytes] of stat.matchAll(cachePattern)) cache += Number(bytes);
  const bytes = Number(limit) - Math.max(0, Number(usage) - cache);
  return Number.isNaN(bytes) ? Number.POSITIVE_INFINITY : bytes;
}
