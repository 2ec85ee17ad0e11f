import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { AirframeError } from '@x/airframe';
import { FILE_TYPES } from './file-types.ts';
import { checkGguf } from './gguf-file.ts';
import { type GgufHeader, type GgufValue, readGgufHeader } from './gguf-header.ts';
import { BrokenGguf } from './gguf-reader.ts';
import { type KvLayer, kvLayers } from './kv-layers.ts';

/** What a GGUF file says of its model. What it does not say is absent. */
export interface ModelFile {
  path: string;
  /** Size, of all parts together if it is split. */
  bytes: number;
  /** `general.name`, else the file's name. */
  name: string;
  architecture?: string;
  /** Absent for a file in parts: each knows its own tensors only. */
  parameters?: number;
  /** E.g. `Q4_K_M`. */
  quantization?: string;
  /** Tokens of context the model was trained with. */
  trainedContextTokens?: number;
  layers?: number;
  embeddingLength?: number;
  /** Of attention; where layers differ, the most of any. */
  heads?: number;
  kvHeads?: number;
  keyLength?: number;
  valueLength?: number;
  /** Tokens in the vocabulary. */
  vocabularySize?: number;
  /** How the vectors of a text's tokens become one, as llama.cpp numbers it. */
  pooling?: number;
  hasChatTemplate: boolean;
  /** What its layers keep of a context. */
  kvLayers: readonly KvLayer[];
}

/**
 * Reads what a GGUF file says of its model; the weights are not touched.
 * @throws AirframeError not_found, or invalid_request naming the path and what is wrong with it
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  await checkGguf(path);
  const file = await open(path).catch(async error => {
    // It has gone meanwhile, which this says better.
    await checkGguf(path);
    throw error;
  });
  try {
    const { size } = await file.stat();
    const header = await readGgufHeader(file, size);
    const parts = PART.test(path) ? (numberIn(header.metadata.get('split.count')) ?? 1) : 1;
    return modelFile(path, header, parts > 1 ? await sizeOfParts(path, parts) : size, parts);
  } catch (error) {
    if (!(error instanceof BrokenGguf)) throw error;
    throw new AirframeError('invalid_request', `the file ${path} ${error.message}`, {
      remedy: 'it is broken: fetch it anew',
      cause: error,
    });
  } finally {
    await file.close();
  }
}

function modelFile(path: string, header: GgufHeader, bytes: number, parts: number): ModelFile {
  const { metadata, elements } = header;
  const architecture = textIn(metadata.get('general.architecture'));
  const own = (key: string) => metadata.get(`${architecture}.${key}`);
  const fileType = numberIn(metadata.get('general.file_type'));
  const tokens = lengthOf(metadata.get('tokenizer.ggml.tokens'));
  return {
    path,
    bytes,
    name: textIn(metadata.get('general.name')) ?? basename(path, '.gguf'),
    hasChatTemplate: metadata.has('tokenizer.chat_template'),
    kvLayers: architecture === undefined ? [] : kvLayers(own, architecture),
    ...known({
      architecture,
      parameters: parts > 1 ? undefined : elements,
      quantization: fileType === undefined ? undefined : FILE_TYPES[fileType],
      trainedContextTokens: numberIn(own('context_length')),
      layers: numberIn(own('block_count')),
      embeddingLength: numberIn(own('embedding_length')),
      heads: most(own('attention.head_count')),
      kvHeads: most(own('attention.head_count_kv') ?? own('attention.head_count')),
      keyLength: numberIn(own('attention.key_length')),
      valueLength: numberIn(own('attention.value_length')),
      pooling: numberIn(own('pooling_type')),
      vocabularySize: tokens ?? numberIn(own('vocab_size')),
    }),
  };
}

/** Where a file's name tells its place among the parts. */
const PART = /-\d{5}-of-\d{5}\.gguf$/;
/** No model has so many; a count that is made up must not keep the disk busy. */
const MAX_PARTS = 1_000;

/** llama.cpp finds the other parts by their names, and says itself when one is missing. */
async function sizeOfParts(path: string, parts: number): Promise<number> {
  const digits = (part: number) => String(part).padStart(5, '0');
  let bytes = 0;
  for (let part = 1; part <= Math.min(parts, MAX_PARTS); part++) {
    const name = path.replace(PART, `-${digits(part)}-of-${digits(parts)}.gguf`);
    bytes += await stat(name).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return bytes;
}

function textIn(value: GgufValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberIn(value: GgufValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function lengthOf(value: GgufValue | undefined): number | undefined {
  return typeof value === 'object' ? value.length : undefined;
}

function most(value: GgufValue | undefined): number | undefined {
  return Array.isArray(value) ? Math.max(0, ...value) : numberIn(value);
}

type Known<Fields> = { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> };

function known<Fields extends object>(fields: Fields): Known<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Known<Fields>;
}
