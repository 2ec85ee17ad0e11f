import { isAirframeError } from '../../errors.ts';
import type { Deadlines } from '../../transport/deadline.ts';
import { sleep } from '../../transport/sleep.ts';

/** Between two looks at a server that loads its model, in milliseconds. */
const LOADING_POLL_MS = 250;

/** True for the answer of a server that is still loading its model. */
export function isLoading(error: unknown): boolean {
  return (
    isAirframeError(error) &&
    error.status === 503 &&
    error.code === 'unavailable_error' &&
    /loading/i.test(error.message)
  );
}

/** One pause before the next try; a load is not a failure and counts as no attempt. */
export async function untilLoaded(deadlines: Deadlines): Promise<void> {
  deadlines.enter('headers');
  await sleep(LOADING_POLL_MS, deadlines.signal);
  deadlines.signal.throwIfAborted();
}

/** Does the work as soon as the server has its model, within `headersMs`. */
export async function whenLoaded<T>(deadlines: Deadlines, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isLoading(error)) throw error;
      await untilLoaded(deadlines);
    }
  }
}
