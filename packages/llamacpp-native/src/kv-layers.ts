import type { GgufValue } from './gguf-header.ts';

/** What one layer of attention keeps of the tokens before. */
export interface KvLayer {
  /** Numbers it keeps of each token: its keys and values. */
  values: number;
  /** Tokens it looks back; absent: all of them. */
  window?: number;
}

/** Metadata of one architecture, by the part of the key behind its name. */
export type ArchitectureMetadata = (key: string) => GgufValue | undefined;

/**
 * The layers of a model that keep keys and values, as llama.cpp v0.5.0 sets them up (src/llama-model.cpp and
 * src/models). Layers that keep a state of fixed size instead (Mamba, gated delta nets) are not among them: the state
 * is small beside a cache that grows with the context. Where a file leaves it open, the smaller answer is given.
 */
export function kvLayers(metadata: ArchitectureMetadata, architecture: string): KvLayer[] {
  // An encoder sees all tokens at once and keeps none.
  if (metadata('attention.causal') === false) return [];
  const count = numberOf(metadata('block_count')) - numberOf(metadata('nextn_predict_layers'));
  const window = numberOf(metadata('attention.sliding_window'));
  const isWindowed = window > 0 ? windowedLayers(metadata, architecture) : () => false;
  const keeps = keepingLayers(metadata, count);
  const layers: KvLayer[] = [];
  for (let layer = 0; layer < count && layer < MAX_LAYERS; layer++) {
    if (!keeps(layer)) continue;
    const windowed = isWindowed(layer);
    const values = kvHeads(metadata, layer) * valuesOfHead(metadata, windowed);
    if (values > 0) layers.push({ values, ...(windowed ? { window } : {}) });
  }
  return layers;
}

/** llama.cpp takes 512. */
const MAX_LAYERS = 1024;

/** Of architectures whose files need not say it: of so many layers one looks back all the way. */
const FULL_LAYER_EVERY: Readonly<Record<string, number>> = {
  cohere2: 4,
  exaone4: 4,
  gemma2: 2,
  gemma3: 6,
  gemma3n: 5,
  'gpt-oss': 2,
  llama4: 4,
  olmo2: 4,
};

function windowedLayers(metadata: ArchitectureMetadata, architecture: string): (layer: number) => boolean {
  const pattern = metadata('attention.sliding_window_pattern');
  if (Array.isArray(pattern)) return layer => Boolean(pattern[layer]);
  const every = numberOf(pattern) || FULL_LAYER_EVERY[architecture];
  return layer => every === undefined || (layer + 1) % every !== 0;
}

/** Recurrent layers keep nothing, and some layers use the cache of another one. */
function keepingLayers(metadata: ArchitectureMetadata, count: number): (layer: number) => boolean {
  const own = count - numberOf(metadata('attention.shared_kv_layers'));
  const recurrent = metadata('attention.recurrent_layers');
  if (Array.isArray(recurrent)) return layer => layer < own && !recurrent[layer];
  const every = numberOf(metadata('full_attention_interval')) || 1;
  return layer => layer < own && (layer + 1) % every === 0;
}

/** A hybrid gives the number for each layer, 0 for those without attention. */
function kvHeads(metadata: ArchitectureMetadata, layer: number): number {
  return perLayer(metadata('attention.head_count_kv') ?? metadata('attention.head_count'), layer);
}

function valuesOfHead(metadata: ArchitectureMetadata, windowed: boolean): number {
  const heads = perLayer(metadata('attention.head_count'), 0);
  const plain = heads > 0 ? Math.floor(numberOf(metadata('embedding_length')) / heads) : 0;
  const length = (kind: 'key' | 'value') =>
    (windowed && numberOf(metadata(`attention.${kind}_length_swa`))) ||
    numberOf(metadata(`attention.${kind}_length`)) ||
    plain;
  // Multi-head latent attention: values are worked out from the keys.
  const isLatent = metadata('attention.key_length_mla') !== undefined;
  return length('key') + (isLatent ? 0 : length('value'));
}

function perLayer(value: GgufValue | undefined, layer: number): number {
  return Array.isArray(value) ? (value[layer] ?? 0) : numberOf(value);
}

function numberOf(value: GgufValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}
