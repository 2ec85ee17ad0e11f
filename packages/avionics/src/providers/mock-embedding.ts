import { createHash } from 'node:crypto';

/** Numbers that one digest gives. */
const NUMBERS_A_DIGEST = 16;

/** A vector of length 1 for a text, the same on every machine; other texts get unrelated ones. */
export function mockVector(text: string, dimensions: number): number[] {
  const numbers: number[] = [];
  for (let block = 0; numbers.length < dimensions; block++) {
    const digest = createHash('sha256').update(`${block}:${text}`).digest();
    for (let i = 0; i < NUMBERS_A_DIGEST && numbers.length < dimensions; i++) {
      numbers.push(digest.readInt16LE(2 * i));
    }
  }
  const length = Math.hypot(...numbers) || 1;
  return numbers.map(number => number / length);
}
