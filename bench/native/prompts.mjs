import { createHash } from 'node:crypto';
import { randomModelWords } from '../../scripts/make-random-gguf.mjs';
import { randomOf } from '../random.mjs';
import { PROMPT_WORDS } from './cells.mjs';

const WORDS = randomModelWords();

/** @param seed text; no two seeds give prompts that begin alike, but by chance */
export function promptsOf(kind, count, seed) {
  const random = randomOf(createHash('sha256').update(`${kind} ${seed}`).digest().readInt32LE());
  const word = () => ` ${WORDS[Math.floor(random() * WORDS.length)]}`;
  return Array.from({ length: count }, () => Array.from({ length: PROMPT_WORDS[kind] }, word).join(''));
}
