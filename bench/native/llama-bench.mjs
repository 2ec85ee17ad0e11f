// llama.cpp's own benchmark, which has no server, no sampling and no text.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ensureLlamaTools } from '../../packages/llamacpp-native/native/llama-cpp.mjs';
import { ANSWER_TOKENS, PROMPT_WORDS } from './cells.mjs';

/** Runs of one start, besides the one that warms up. Their average is the figure. */
const REPETITIONS = 2;

/** @returns tokens a second */
export async function measureLlamaBench({ model, threads }, { kind }) {
  const { 'llama-bench': program } = await ensureLlamaTools({ targets: ['llama-bench'] });
  const [prompt, answer] = kind === 'prompt' ? [PROMPT_WORDS.prompt, 0] : [0, ANSWER_TOKENS.generation - 1];
  const sizes = ['-p', prompt, '-n', answer, '-t', threads, '-r', REPETITIONS].map(String);
  const { stdout } = await promisify(execFile)(program, ['-m', model, '-o', 'json', ...sizes]);
  const [{ avg_ts: perSecond }] = JSON.parse(stdout);
  return { perSecond };
}
