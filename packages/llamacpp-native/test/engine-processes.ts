import { type ChildProcess, execFileSync } from 'node:child_process';
import diagnostics from 'node:diagnostics_channel';
import { existsSync, readFileSync } from 'node:fs';

/** The processes that engines are given, from now on, the newest one last. */
export function engineProcesses(): ChildProcess[] {
  const started: ChildProcess[] = [];
  diagnostics.subscribe('child_process', message => {
    const { process } = message as { process: ChildProcess };
    // It is told of before it has its arguments.
    queueMicrotask(() => {
      if (process.spawnargs.some(argument => /child-main\.\w+$/.test(argument))) started.push(process);
    });
  });
  return started;
}

/** False also for one that has ended and that its parent has not yet looked after. */
export function isRunning(pid: number): boolean {
  return residentBytes(pid) > 0;
}

/** Memory that a process holds; 0 when there is none. */
export function residentBytes(pid: number): number {
  try {
    const kilobytes = existsSync('/proc/self/status')
      ? /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
