/** Numbers from 0 up to 1, the same ones for the same seed. Good enough for cutting and filling, for no more. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  const next = () => {
    // A linear congruential generator with the constants of Numerical Recipes.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  // The first numbers of neighbouring seeds are neighbours too.
  for (let i = 0; i < 3; i++) next();
  return next;
}
