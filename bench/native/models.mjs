// The models that are run. At temperature 0 neither ends its answer by itself, so that all rows make as many tokens.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir } from '../../packages/llamacpp-native/native/paths.mjs';
import { ensureRandomModel } from '../../scripts/make-random-gguf.mjs';
import { ROOT } from '../../scripts/workspace.mjs';

const DEMO_MODEL = join(ROOT, 'apps', 'demo-model', 'pilot.gguf');
// What llama.cpp takes for the end of an answer: what the file calls so, and what is named so.
const END_KEYS = ['eos', 'eot'].map(name => `tokenizer.ggml.${name}_token_id`);
/** The first tokens of the vocabulary. */
const CONTROL_TOKENS = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
const NORMAL = 1;
/** Stands for the byte 0. */
const NEVER_SAID = 3;

/** Name → path of the GGUF file, made on the first call. */
export const MODELS = { demo: ensureEndlessDemo, '59m': ensureRandomModel };

/** The demo model, whose answers have some twenty tokens, without an end to them. */
async function ensureEndlessDemo() {
  const bytes = readFileSync(DEMO_MODEL);
  const key = createHash('sha256')
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .update(bytes)
    .digest('hex')
    .slice(0, 12);
  const file = join(cacheDir(), 'models', `demo-endless-${key}.gguf`);
  if (existsSync(file)) return file;
  mkdirSync(dirname(file), { recursive: true });
  const half = `${file}.${process.pid}`;
  writeFileSync(half, withoutEnd(bytes));
  renameSync(half, file);
  return file;
}

/** Gives its control tokens other names of the same length, makes them words like any, and calls another one the end. */
export function withoutEnd(gguf) {
  const bytes = Buffer.from(gguf);
  const behind = text => bytes.indexOf(text) + text.length;
  // Ahead of an array stand its type, that of its items, and their number; ahead of a number its type.
  const types = behind('tokenizer.ggml.token_type') + 4 + 4 + 8;
  for (const [token, name] of CONTROL_TOKENS.entries()) {
    bytes.writeInt32LE(NORMAL, types + 4 * token);
    bytes.write(name.replaceAll('|', '!'), bytes.indexOf(name), 'latin1');
  }
  for (const key of END_KEYS) bytes.writeUInt32LE(NEVER_SAID, behind(key) + 4);
  return bytes;
}
