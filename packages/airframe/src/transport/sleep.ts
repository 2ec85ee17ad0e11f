import type { CallSignal } from './deadline.ts';

/**
 * Waits, unless one of the signals fires first. Leaves no listener behind.
 *
 * @param ms milliseconds
 * @returns true when the time has passed, false when a signal cut it short
 */
export function sleep(ms: number, ...signals: (CallSignal | undefined)[]): Promise<boolean> {
  return new Promise(resolve => {
    const end = (elapsed: boolean) => {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener('abort', cut);
      resolve(elapsed);
    };
    const cut = () => end(false);
    const timer = setTimeout(() => end(true), ms);
    if (signals.some(signal => signal?.aborted)) cut();
    else for (const signal of signals) signal?.addEventListener('abort', cut, { once: true });
  });
}
