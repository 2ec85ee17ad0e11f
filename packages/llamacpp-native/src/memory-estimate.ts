import { AirframeError } from '@x/airframe';
import type { KvLayer } from './kv-layers.ts';
import { availableMemory } from './memory.ts';
import type { ModelFile } from './model-file.ts';

/** How a model is to be loaded, as far as memory goes. */
export interface MemoryPlan {
  /** Tokens one sequence may have. */
  contextTokens: number;
  /** Default 1. */
  sequences?: number | undefined;
  /** Default 0. */
  gpuLayers?: number | undefined;
}

/** Bytes of main memory. */
export interface MemoryNeed {
  weights: number;
  kvCache: number;
  compute: number;
  total: number;
}

/** Keys and values are kept as f16. */
const KV_BYTES = 2;
/** Tokens evaluated in one go; a layer with a window has room for so many more. */
const BATCH_TOKENS = 512;
/** Rows of a token that the work on one layer has in hand: hidden state, attention, feed-forward. */
const ROWS = 8;
const ROW_BYTES = 4;

/**
 * What a model needs of main memory, at the least. An estimate that is too high would refuse what runs, so where the
 * file leaves something open the smaller answer is taken:
 *
 * - Weights are mapped from the file, or copied from it once where llama.cpp rearranges them for the CPU. Mapped
 *   ones could be dropped and read again, so a model larger than memory would not be killed; but each token needs
 *   nearly all of them, and would wait for the disk. They count in full. What of them lies in the file cache already
 *   counts as available, too, so it is not counted twice.
 * - The cache of keys and values is set aside and written to at once.
 * - Buffers for the work are set aside for the largest batch, but hold memory only as far as they are written to.
 */
export function estimateMemory(file: ModelFile, plan: MemoryPlan): MemoryNeed {
  const { layers = 0, embeddingLength = 0, kvLayers } = file;
  const { gpuLayers = 0 } = plan;
  // llama.cpp counts the output as one more layer.
  const weights = file.bytes * (1 - Math.min(1, gpuLayers / (layers + 1)));
  const onCpu = layers > 0 ? 1 - Math.min(1, gpuLayers / layers) : 1;
  const kvCache = kvLayers.reduce((bytes, layer) => bytes + kvBytes(layer, plan), 0) * onCpu;
  const compute = BATCH_TOKENS * embeddingLength * ROWS * ROW_BYTES;
  return { weights, kvCache, compute, total: weights + kvCache + compute };
}

function kvBytes({ values, window }: KvLayer, { contextTokens, sequences = 1 }: MemoryPlan): number {
  const tokens = window === undefined ? contextTokens : Math.min(contextTokens, window + BATCH_TOKENS);
  return tokens * sequences * values * KV_BYTES;
}

/**
 * Makes sure, before anything is loaded, that it can be: the system would kill the process else, and nobody would know
 * why.
 *
 * @throws AirframeError backend, code `out_of_memory`
 */
export function checkMemory(file: ModelFile, plan: MemoryPlan, available: number = availableMemory()): void {
  const { weights, kvCache, total } = estimateMemory(file, plan);
  if (total <= available) return;
  const { contextTokens, sequences = 1 } = plan;
  const shorter = total - kvCache < available ? 'lower options.contextTokens, ' : '';
  const times = sequences > 1 ? `${sequences} times ` : '';
  throw new AirframeError(
    'backend',
    `${file.name} (${file.path}) needs ${bytesText(total)} of memory, but only ${bytesText(available)} are available: ` +
      `${bytesText(weights)} for the weights and ${bytesText(kvCache)} for ${times}${contextTokens} tokens of context`,
    {
      code: 'out_of_memory',
      remedy: `${shorter}use a smaller quantisation of the model, or set options.checkMemory to false to try all the same`,
    },
  );
}

function bytesText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}
