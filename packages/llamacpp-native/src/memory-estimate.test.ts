import { describe, expect, it } from 'vitest';
import { checkMemory, estimateMemory } from './memory-estimate.ts';
import type { ModelFile } from './model-file.ts';

const GB = 1e9;
/** As Llama 3.1 8B at Q4_K_M: 32 layers, 8 heads of 128 + 128 numbers. */
const eightB: ModelFile = {
  path: '/models/8b.gguf',
  bytes: 4.9 * GB,
  name: '8B',
  layers: 32,
  embeddingLength: 4096,
  hasChatTemplate: true,
  kvLayers: Array(32).fill({ values: 2048 }),
};

describe('the memory a model needs', () => {
  it('is its weights, its context and some room to work', () => {
    const need = estimateMemory(eightB, { contextTokens: 8192 });
    expect(need.weights).toBe(4.9 * GB);
    // What llama.cpp prints for it: 1,024 MiB.
    expect(need.kvCache).toBe(1024 * 2 ** 20);
    expect(need.compute).toBeLessThan(0.1 * GB);
    expect(need.total).toBe(need.weights + need.kvCache + need.compute);
  });

  it('has a context for each sequence', () => {
    const one = estimateMemory(eightB, { contextTokens: 4096 }).kvCache;
    expect(estimateMemory(eightB, { contextTokens: 4096, sequences: 4 }).kvCache).toBe(4 * one);
  });

  it('grows no further where layers look back through a window', () => {
    const windowed = { ...eightB, kvLayers: [{ values: 2048, window: 1024 }, { values: 2048 }] };
    const tokens = (contextTokens: number) => estimateMemory(windowed, { contextTokens }).kvCache / 2048 / 2;
    expect(tokens(512)).toBe(512 + 512);
    expect(tokens(100_000)).toBe(1024 + 512 + 100_000);
  });

  it('is less with layers on the GPU, and but little with all of them', () => {
    const half = estimateMemory(eightB, { contextTokens: 8192, gpuLayers: 16 });
    expect(half.kvCache).toBe(512 * 2 ** 20);
    expect(half.weights / eightB.bytes).toBeCloseTo(17 / 33);
    expect(estimateMemory(eightB, { contextTokens: 8192, gpuLayers: 1000 })).toMatchObject({
      weights: 0,
      kvCache: 0,
    });
  });

  it('is the weights alone, where a file says nothing more', () => {
    const bare = { path: '/x.gguf', bytes: 24, name: 'x', hasChatTemplate: false, kvLayers: [] };
    expect(estimateMemory(bare, { contextTokens: 4096 })).toEqual({
      weights: 24,
      kvCache: 0,
      compute: 0,
      total: 24,
    });
  });
});

describe('a model that does not fit', () => {
  it('is refused with what it needs, what there is, and what to do', () => {
    const plan = { contextTokens: 32_768, sequences: 2 };
    expect(() => checkMemory(eightB, plan, 8 * GB)).toThrow(
      expect.objectContaining({
        category: 'backend',
        code: 'out_of_memory',
        retryable: false,
        problem:
          '8B (/models/8b.gguf) needs 13.6 GB of memory, but only 8.0 GB are available: ' +
          '4.9 GB for the weights and 8.6 GB for 2 times 32768 tokens of context',
        remedy:
          'lower options.contextTokens, use a smaller quantisation of the model, or set options.checkMemory to false to try all the same',
      }),
    );
    expect(() => checkMemory(eightB, { contextTokens: 4096 }, 400e6)).toThrow(
      /only 400 MB are available: .* context; use a smaller quantisation/,
    );
  });

  it('is told from one that just fits', () => {
    const plan = { contextTokens: 8192 };
    const { total } = estimateMemory(eightB, plan);
    expect(() => checkMemory(eightB, plan, total)).not.toThrow();
    expect(() => checkMemory(eightB, plan, total - 1)).toThrow();
  });
});
