import type { FileHandle } from 'node:fs/promises';
import { BrokenGguf, GgufReader } from './gguf-reader.ts';

/** A value of the metadata. Of long texts, texts in arrays and long arrays only the length is kept. */
export type GgufValue = string | number | boolean | number[] | { length: number };

export interface GgufHeader {
  metadata: ReadonlyMap<string, GgufValue>;
  /** Numbers in all tensors of this file. */
  elements: number;
}

/** The largest headers seen have 30 MB: a vocabulary of 260,000 words and its merges. */
const MAX_HEADER_BYTES = 256 * 1024 * 1024;
/** Names, and what is kept of texts: nothing that is looked at is longer. */
const MAX_TEXT_BYTES = 4096;
const MAX_KEY_BYTES = 65_535;
/** As many layers as llama.cpp takes, and more: arrays of one number a layer are kept. */
const MAX_KEPT_NUMBERS = 4096;
const MAX_DIMENSIONS = 4;

/**
 * Scalars by their type's number in the file (ggml/include/gguf.h of llama.cpp v0.5.0, GGUF versions 2 and 3).
 */
const SCALARS: Readonly<Record<number, { bytes: number; read: (bytes: Buffer) => number | boolean }>> = {
  0: { bytes: 1, read: bytes => bytes.readUInt8() },
  1: { bytes: 1, read: bytes => bytes.readInt8() },
  2: { bytes: 2, read: bytes => bytes.readUInt16LE() },
  3: { bytes: 2, read: bytes => bytes.readInt16LE() },
  4: { bytes: 4, read: bytes => bytes.readUInt32LE() },
  5: { bytes: 4, read: bytes => bytes.readInt32LE() },
  6: { bytes: 4, read: bytes => bytes.readFloatLE() },
  7: { bytes: 1, read: bytes => bytes.readUInt8() !== 0 },
  10: { bytes: 8, read: bytes => Number(bytes.readBigUInt64LE()) },
  11: { bytes: 8, read: bytes => Number(bytes.readBigInt64LE()) },
  12: { bytes: 8, read: bytes => bytes.readDoubleLE() },
};
const TEXT = 8;
const ARRAY = 9;

/**
 * Reads what stands in front of the weights, and no further. The file's first bytes have been looked at.
 * @throws BrokenGguf
 */
export async function readGgufHeader(file: FileHandle, fileBytes: number): Promise<GgufHeader> {
  const reader = new GgufReader(file, Math.min(fileBytes, MAX_HEADER_BYTES));
  reader.skip(8);
  const [tensors, entries] = [await reader.u64(), await reader.u64()];
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entries; i++) {
    const key = await readText(reader, MAX_KEY_BYTES);
    metadata.set(key, await readValue(reader, await reader.u32(), key));
  }
  let elements = 0;
  for (let i = 0; i < tensors; i++) elements += await readTensorSize(reader);
  return { metadata, elements };
}

async function readValue(reader: GgufReader, type: number, key: string): Promise<GgufValue> {
  if (type === TEXT) {
    const length = await reader.u64();
    if (length <= MAX_TEXT_BYTES) return (await reader.take(length)).toString('utf8');
    reader.skip(length);
    return { length };
  }
  if (type === ARRAY) return readArray(reader, key);
  const { bytes, read } = scalar(type, key);
  return read(await reader.take(bytes));
}

async function readArray(reader: GgufReader, key: string): Promise<GgufValue> {
  const type = await reader.u32();
  const length = await reader.u64();
  if (type === TEXT) {
    for (let i = 0; i < length; i++) reader.skip(await reader.u64());
    return { length };
  }
  const { bytes, read } = scalar(type, key);
  if (length > MAX_KEPT_NUMBERS) {
    reader.skip(length * bytes);
    return { length };
  }
  const values = await reader.take(length * bytes);
  return Array.from({ length }, (_, i) => Number(read(values.subarray(i * bytes))));
}

/** llama.cpp knows no arrays of arrays. */
function scalar(type: number, key: string): (typeof SCALARS)[number] {
  const known = SCALARS[type];
  if (!known) throw new BrokenGguf(`has a value of unknown type ${type} (${key})`);
  return known;
}

async function readText(reader: GgufReader, most: number): Promise<string> {
  const length = await reader.u64();
  if (length > most) throw new BrokenGguf(`has a name of ${length} bytes`);
  return (await reader.take(length)).toString('utf8');
}

/** Name, dimensions, type, place. */
async function readTensorSize(reader: GgufReader): Promise<number> {
  await readText(reader, MAX_KEY_BYTES);
  const dimensions = await reader.u32();
  if (dimensions > MAX_DIMENSIONS) throw new BrokenGguf(`has a tensor of ${dimensions} dimensions`);
  let elements = 1;
  for (let i = 0; i < dimensions; i++) elements *= await reader.u64();
  reader.skip(4 + 8);
  return elements;
}
