import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for work, but no longer than so many milliseconds. Nobody is told which of the two it was. */
export async function withinMs(work: Promise<unknown>, ms: number): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, sleep(ms, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}
