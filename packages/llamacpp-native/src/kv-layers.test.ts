import { describe, expect, it } from 'vitest';
import type { GgufValue } from './gguf-header.ts';
import { kvLayers } from './kv-layers.ts';

const layersOf = (architecture: string, values: Record<string, GgufValue>) =>
  kvLayers(key => values[key], architecture);

const base = {
  block_count: 8,
  embedding_length: 64,
  'attention.head_count': 8,
  'attention.head_count_kv': 2,
};

describe('the layers that keep a context', () => {
  it('are all of them, with a head as long as its share of the embedding unless the file says another', () => {
    expect(layersOf('llama', base)).toEqual(Array(8).fill({ values: 2 * (8 + 8) }));
    const longer = { ...base, 'attention.key_length': 16, 'attention.value_length': 12 };
    expect(layersOf('llama', longer)).toEqual(Array(8).fill({ values: 2 * (16 + 12) }));
    const { 'attention.head_count_kv': _, ...alike } = base;
    expect(layersOf('llama', alike)[0]).toEqual({ values: 8 * (8 + 8) });
  });

  it('of a hybrid are those with attention, however the file says which', () => {
    const perLayer = { ...base, 'attention.head_count_kv': [0, 0, 0, 2, 0, 0, 0, 2] };
    const interval = { ...base, full_attention_interval: 4 };
    const recurrent = { ...base, 'attention.recurrent_layers': [1, 1, 1, 0, 1, 1, 1, 0] };
    for (const hybrid of [perLayer, interval, recurrent]) {
      expect(layersOf('hybrid', hybrid)).toEqual([{ values: 32 }, { values: 32 }]);
    }
  });

  it('are none in a recurrent model and in an encoder', () => {
    expect(layersOf('mamba', { block_count: 8, embedding_length: 64 })).toEqual([]);
    expect(layersOf('bert', { ...base, 'attention.causal': false })).toEqual([]);
  });

  it('look back as far as their window goes, but for some', () => {
    const windows = (architecture: string, pattern?: GgufValue) =>
      layersOf(architecture, {
        ...base,
        'attention.sliding_window': 512,
        ...(pattern === undefined ? {} : { 'attention.sliding_window_pattern': pattern }),
      }).map(layer => layer.window);
    const full = undefined;
    expect(windows('gemma3')).toEqual([512, 512, 512, 512, 512, full, 512, 512]);
    expect(windows('gemma3', 2)).toEqual([512, full, 512, full, 512, full, 512, full]);
    expect(windows('other', [1, 1, 0, 0, 1, 1, 0, 0])).toEqual([512, 512, full, full, 512, 512, full, full]);
    expect(windows('unheard of')).toEqual(Array(8).fill(512));
    expect(layersOf('llama', { ...base, 'attention.sliding_window': 0 })[0]).toEqual({ values: 32 });
  });

  it('have heads of another length where the window is', () => {
    const gemma4 = {
      ...base,
      'attention.sliding_window': 512,
      'attention.sliding_window_pattern': [1, 0, 1, 0, 1, 0, 1, 0],
      'attention.key_length': 32,
      'attention.value_length': 32,
      'attention.key_length_swa': 16,
      'attention.value_length_swa': 16,
      'attention.shared_kv_layers': 6,
    };
    expect(layersOf('gemma4', gemma4)).toEqual([{ values: 64, window: 512 }, { values: 128 }]);
  });

  it('keep no values where they are worked out from the keys', () => {
    const latent = {
      ...base,
      'attention.head_count_kv': 1,
      'attention.key_length': 576,
      'attention.value_length': 512,
      'attention.key_length_mla': 192,
    };
    expect(layersOf('deepseek2', latent)[0]).toEqual({ values: 576 });
  });

  it('are no more than llama.cpp takes, whatever a file says', () => {
    expect(layersOf('llama', { ...base, block_count: 4_000_000_000 }).length).toBeLessThan(2000);
  });
});
