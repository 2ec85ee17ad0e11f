// Makes a model of llama's architecture with random weights, large enough that evaluating a prompt takes time, for the
// benchmarks of routing. `node scripts/make-random-gguf.mjs` prints its path in the cache, and makes it when it is not there.
//
// Its vocabulary is the demo model's. Of the tokens it can say, only lower-case words with a space before them have
// weights: so at temperature 0 it never stops by itself, and what it says is split again into the tokens it said.
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir } from '../packages/llamacpp-native/native/paths.mjs';

const DEMO_MODEL = fileURLToPath(new URL('../apps/demo-model/pilot.gguf', import.meta.url));
const SEED = 20;
const WIDTH = 768;
const LAYERS = 8;
const HEADS = 12;
const KV_HEADS = 4;
const HIDDEN = 2304;
const CONTEXT = 8192;

/** Bytes that the keys and values of one token take in a server's memory (F16), for sizing its caches. */
export const KV_BYTES_PER_TOKEN = 2 * 2 * LAYERS * (WIDTH / HEADS) * KV_HEADS;

// The format's facts: llama.cpp's ggml/include/gguf.h and ggml/src/ggml-common.h (v0.5.0).
const ALIGNMENT = 32;
const [U32, F32, STRING, ARRAY] = [4, 6, 8, 9];
/** Bytes of a value, by the number of its type. */
const SIZES = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8];
const [TENSOR_F32, TENSOR_Q8_0, MOSTLY_Q8_0] = [0, 8, 7];
/** A block of Q8_0: a scale in F16, and as many signed bytes. */
const BLOCK_VALUES = 32;
const BLOCK_BYTES = 2 + BLOCK_VALUES;
/** 2^-12 and 2^-11 in F16: values of a standard deviation of 0.018 and 0.036. */
const [SCALE, OUTPUT_SCALE] = [0x0c00, 0x1000];

const toStderr = line => process.stderr.write(`${line}\n`);

/** Returns the absolute path of the model, made on the first call (a second or two, 62 MB). */
export async function ensureRandomModel({ log = toStderr } = {}) {
  const vocabulary = readVocabulary();
  const key = createHash('sha256')
    .update(fs.readFileSync(fileURLToPath(import.meta.url)))
    .update(vocabulary.bytes)
    .digest('hex')
    .slice(0, 12);
  const file = join(cacheDir(), 'models', `random-${key}.gguf`);
  if (fs.existsSync(file)) return file;
  const half = `${file}.${process.pid}`;
  fs.mkdirSync(dirname(file), { recursive: true });
  try {
    write(half, vocabulary, log);
    fs.renameSync(half, file);
  } finally {
    fs.rmSync(half, { force: true });
  }
  return file;
}

/** The words of the vocabulary, each of which is one token with the space before it. */
export function randomModelWords() {
  return readVocabulary()
    .tokens.filter(isWord)
    .map(token => token.slice(1));
}

const isWord = token => /^Ġ[a-z]+$/.test(token);

function write(file, vocabulary, log) {
  const tensors = tensorsOf(vocabulary.tokens);
  const size = tensors.reduce((sum, tensor) => sum + aligned(bytesOf(tensor)), 0);
  const parameters = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
  const facts = `${(parameters / 1e6).toFixed(1)} million random weights, ${Math.round(size / 1e6)} MB`;
  log(`making a model of ${facts}: once, in ${dirname(file)}`);
  const out = fs.openSync(file, 'wx');
  try {
    const head = headOf(tensors, vocabulary);
    fs.writeSync(out, Buffer.concat([head, Buffer.alloc(aligned(head.length) - head.length)]));
    const random = xorshift(SEED);
    for (const [index, tensor] of tensors.entries()) {
      const data = Buffer.alloc(aligned(bytesOf(tensor)));
      if (tensor.type === TENSOR_F32) new Float32Array(data.buffer, data.byteOffset, tensor.shape[0]).fill(1);
      else fillRandom(data, tensor, random);
      fs.writeSync(out, data);
      if ((index + 1) % 25 === 0) log(`${index + 1} of ${tensors.length} tensors`);
    }
  } finally {
    fs.closeSync(out);
  }
}

/** Shapes as ggml has them: the length of a row first. `isSilent` tells rows that stay zero. */
function tensorsOf(tokens) {
  const matrix = (name, row, rows, more = {}) => ({ name, type: TENSOR_Q8_0, shape: [row, rows], ...more });
  const norm = name => ({ name, type: TENSOR_F32, shape: [WIDTH] });
  const keyValues = (WIDTH / HEADS) * KV_HEADS;
  const isSilent = row => !isWord(tokens[row]);
  const tensors = [
    matrix('token_embd.weight', WIDTH, tokens.length),
    norm('output_norm.weight'),
    matrix('output.weight', WIDTH, tokens.length, { scale: OUTPUT_SCALE, isSilent }),
  ];
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = name => `blk.${layer}.${name}.weight`;
    tensors.push(
      norm(at('attn_norm')),
      matrix(at('attn_q'), WIDTH, WIDTH),
      matrix(at('attn_k'), WIDTH, keyValues),
      matrix(at('attn_v'), WIDTH, keyValues),
      matrix(at('attn_output'), WIDTH, WIDTH),
      norm(at('ffn_norm')),
      matrix(at('ffn_gate'), WIDTH, HIDDEN),
      matrix(at('ffn_up'), WIDTH, HIDDEN),
      matrix(at('ffn_down'), HIDDEN, WIDTH),
    );
  }
  return tensors;
}

function bytesOf({ type, shape: [row, rows = 1] }) {
  return type === TENSOR_F32 ? 4 * row * rows : (row / BLOCK_VALUES) * BLOCK_BYTES * rows;
}

const aligned = bytes => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

function fillRandom(data, { shape: [row, rows], scale = SCALE, isSilent = () => false }, random) {
  const blocks = row / BLOCK_VALUES;
  for (let at = 0; at < rows; at++) {
    if (isSilent(at)) continue;
    for (let block = 0; block < blocks; block++) {
      const start = (at * blocks + block) * BLOCK_BYTES;
      data.writeUInt16LE(scale, start);
      for (let byte = 2; byte < BLOCK_BYTES; byte += 4) data.writeInt32LE(random(), start + byte);
    }
  }
}

/** @returns a function that gives 32 random bits, as a signed integer */
function xorshift(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}

/** Everything ahead of the weights. */
function headOf(tensors, vocabulary) {
  const entries = [
    entry('general.architecture', STRING, string('llama')),
    entry('general.name', STRING, string('random')),
    entry('general.file_type', U32, u32(MOSTLY_Q8_0)),
    entry('llama.context_length', U32, u32(CONTEXT)),
    entry('llama.embedding_length', U32, u32(WIDTH)),
    entry('llama.block_count', U32, u32(LAYERS)),
    entry('llama.feed_forward_length', U32, u32(HIDDEN)),
    entry('llama.attention.head_count', U32, u32(HEADS)),
    entry('llama.attention.head_count_kv', U32, u32(KV_HEADS)),
    entry('llama.rope.dimension_count', U32, u32(WIDTH / HEADS)),
    entry('llama.attention.layer_norm_rms_epsilon', F32, f32(1e-5)),
    entry('llama.vocab_size', U32, u32(vocabulary.tokens.length)),
  ];
  const infos = [];
  let offset = 0;
  for (const tensor of tensors) {
    const { name, type, shape } = tensor;
    infos.push(string(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset));
    offset += aligned(bytesOf(tensor));
  }
  const counts = [u64(tensors.length), u64(entries.length + vocabulary.count)];
  return Buffer.concat([Buffer.from('GGUF'), u32(3), ...counts, ...entries, vocabulary.bytes, ...infos]);
}

const entry = (key, type, value) => Buffer.concat([string(key), u32(type), value]);

function string(text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

/** The demo model's tokenizer: its entries as they stand in the file, how many they are, and the tokens. */
function readVocabulary() {
  const file = fs.readFileSync(DEMO_MODEL);
  let at = 16;
  /** Goes on by so many bytes. Returns where they begin. */
  const take = bytes => {
    at += bytes;
    return at - bytes;
  };
  const number = () => Number(file.readBigUInt64LE(take(8)));
  const text = () => {
    const length = number();
    const start = take(length);
    return file.toString('utf8', start, at);
  };
  const type = () => file.readUInt32LE(take(4));
  const value = of => {
    if (of === STRING) return text();
    if (of === ARRAY) {
      const [item, count] = [type(), number()];
      return Array.from({ length: count }, () => value(item));
    }
    take(SIZES[of]);
    return undefined;
  };
  const vocabulary = { bytes: [], count: 0, tokens: [] };
  for (let left = number(); left > 0; left--) {
    const start = at;
    const key = text();
    const content = value(type());
    if (!key.startsWith('tokenizer.')) continue;
    vocabulary.bytes.push(file.subarray(start, at));
    vocabulary.count++;
    if (key === 'tokenizer.ggml.tokens') vocabulary.tokens = content;
  }
  return { ...vocabulary, bytes: Buffer.concat(vocabulary.bytes) };
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${await ensureRandomModel()}\n`);
}
