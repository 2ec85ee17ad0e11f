import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEMO_MODEL } from '../test/demo-model.ts';
import { ggufBytes, u32, u64 } from '../test/gguf-writer.ts';
import { readModelFile } from './model-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'model-file-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function written(bytes: Buffer, name = 'model.gguf'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

const llama = {
  'general.architecture': 'llama',
  'general.name': 'Small',
  'general.file_type': 15,
  'llama.context_length': 8192,
  'llama.block_count': 2,
  'llama.embedding_length': 64,
  'llama.attention.head_count': 4,
  'llama.attention.head_count_kv': 2,
  'llama.attention.key_length': 32,
  'llama.attention.value_length': 24,
  'tokenizer.ggml.tokens': ['a', 'b', 'c'],
  'tokenizer.chat_template': 'x'.repeat(5000),
};

describe('a model file', () => {
  it('tells what the project’s own model is', async () => {
    expect(await readModelFile(DEMO_MODEL)).toMatchObject({
      name: 'pilot',
      architecture: 'llama',
      hasChatTemplate: true,
      parameters: expect.any(Number),
      quantization: expect.any(String),
      trainedContextTokens: expect.any(Number),
      layers: expect.any(Number),
      vocabularySize: expect.any(Number),
    });
  });

  it('tells architecture, quantisation, sizes and how much its tensors hold', async () => {
    const bytes = ggufBytes(llama, { one: [64, 10], two: [5] });
    expect(await readModelFile(await written(bytes))).toEqual({
      path: join(folder, 'model.gguf'),
      bytes: bytes.length,
      name: 'Small',
      architecture: 'llama',
      parameters: 645,
      quantization: 'Q4_K_M',
      trainedContextTokens: 8192,
      layers: 2,
      embeddingLength: 64,
      heads: 4,
      kvHeads: 2,
      keyLength: 32,
      valueLength: 24,
      vocabularySize: 3,
      hasChatTemplate: true,
      kvLayers: [{ values: 112 }, { values: 112 }],
    });
  });

  it('leaves out what it does not say, and has the file’s name', async () => {
    expect(await readModelFile(await written(ggufBytes(), 'nameless.gguf'))).toEqual({
      path: join(folder, 'nameless.gguf'),
      bytes: 24,
      name: 'nameless',
      parameters: 0,
      hasChatTemplate: false,
      kvLayers: [],
    });
  });

  it('in parts is as large as all of them', async () => {
    await written(Buffer.alloc(1000), 'big-00002-of-00002.gguf');
    const first = ggufBytes({ 'general.architecture': 'llama', 'split.count': 2 }, { one: [9] });
    const file = await readModelFile(await written(first, 'big-00001-of-00002.gguf'));
    expect(file.bytes).toBe(first.length + 1000);
    expect(file.parameters).toBeUndefined();
  });

  it('is read past a vocabulary that is larger than what is read at once', async () => {
    const tokens = Array.from({ length: 60_000 }, (_, i) => `token ${i}`);
    const bytes = ggufBytes({ 'tokenizer.ggml.tokens': tokens, ...{ 'general.name': 'behind it' } });
    expect(await readModelFile(await written(bytes))).toMatchObject({
      name: 'behind it',
      vocabularySize: 60_000,
    });
  });
});

describe('a broken header', () => {
  const start = (tensors: bigint, entries: bigint) =>
    Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors), u64(entries)]);
  const key = Buffer.concat([u64(1), Buffer.from('k')]);
  const entry = (...value: Buffer[]) => Buffer.concat([start(0n, 1n), key, ...value]);
  const whole = ggufBytes(llama, { one: [64, 10] });

  it.each<[string, Buffer, RegExp]>([
    ['has more entries than bytes', start(0n, 1n << 52n), /ends where 8 more bytes should come/],
    ['has more entries than a number can say', start(0n, 1n << 63n), /has a length of 9223372036854776000/],
    ['has tensors that are not there', start(1n << 40n, 0n), /ends where 8 more bytes/],
    ['has a text longer than the file', entry(u32(8), u64(1n << 40n)), /ends where 1099511627776 more/],
    ['has an array longer than the file', entry(u32(9), u32(4), u64(1n << 50n)), /ends where/],
    ['has an array of texts longer than the file', entry(u32(9), u32(8), u64(1n << 50n)), /ends where/],
    ['has a name longer than any', Buffer.concat([start(0n, 1n), u64(100_000)]), /a name of 100000 bytes/],
    ['has a type that is none', entry(u32(99)), /unknown type 99 \(k\)/],
    ['has arrays in arrays', entry(u32(9), u32(9), u64(1)), /unknown type 9 \(k\)/],
    ['has a tensor of nine dimensions', Buffer.concat([start(1n, 0n), key, u32(9)]), /9 dimensions/],
    ['is cut off in its metadata', whole.subarray(0, 200), /ends where/],
    ['is cut off in its tensors', whole.subarray(0, whole.length - 4), /ends where/],
  ])('%s', async (_, bytes, message) => {
    const path = await written(bytes, 'broken.gguf');
    await expect(readModelFile(path)).rejects.toMatchObject({
      category: 'invalid_request',
      message: expect.stringMatching(message),
      problem: expect.stringContaining(path),
      remedy: 'it is broken: fetch it anew',
    });
  });

  it('is told from no file', async () => {
    await expect(readModelFile(join(folder, 'none.gguf'))).rejects.toMatchObject({ category: 'not_found' });
  });
});
