/** How often a load that tells nothing is looked at, in milliseconds. */
const INTERVAL_MS = 100;

/** Of what is seen from outside: whether it is over only llama.cpp knows. */
const MOST_SEEN = 0.99;

export interface LoadProgress {
  /** Takes what llama.cpp tells, 0 to 1. */
  told(fraction: number): void;
  /** The load is over, well or not. */
  end(): void;
}

/**
 * The progress of a load: 0 when it begins, then never less than before. llama.cpp counts the tensors it has placed, but
 * on a CPU nearly all the time goes by before the first of them, while the file is mapped into memory; how far that is
 * shows in the memory of this process.
 *
 * @param bytes to be loaded
 * @param memory of this process, in bytes
 */
export function followLoad(
  bytes: number,
  tell: (fraction: number) => void,
  memory: () => number = process.memoryUsage.rss,
): LoadProgress {
  const before = memory();
  let reached = 0;
  const told = (fraction: number) => {
    if (fraction <= reached) return;
    reached = fraction;
    tell(fraction);
  };
  tell(0);
  const look = () => told(Math.min(MOST_SEEN, (memory() - before) / bytes));
  const timer = setInterval(look, INTERVAL_MS).unref();
  return { told, end: () => clearInterval(timer) };
}
