// Random numbers that are the same in each run.

/**
 * mulberry32.
 * @param seed an integer
 * @returns a function that gives a number from 0 up to and without 1
 */
export function randomOf(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A sample of the exponential distribution. */
export const exponential = (random, mean) => -mean * Math.log(1 - random());
