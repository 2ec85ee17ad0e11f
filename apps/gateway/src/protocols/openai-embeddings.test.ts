import type { EmbeddingResponse } from '@x/avionics';
import { describe, expect, it } from 'vitest';
import { embeddingsBody, readEmbeddings } from './openai-embeddings.ts';

describe('a request for vectors', () => {
  it('is of one text or of several', () => {
    expect(readEmbeddings({ model: 'm', input: 'a' })).toEqual({
      model: 'm',
      request: { input: 'a' },
      base64: false,
      ignored: [],
    });
    const several = {
      input: ['a', 'b'],
      dimensions: 64,
      encoding_format: 'base64',
      user: 'u',
      input_type: 'query',
    };
    expect(readEmbeddings(several)).toEqual({
      model: '',
      request: { input: ['a', 'b'], dimensions: 64 },
      base64: true,
      ignored: ['input_type'],
    });
  });

  it.each([
    { input: '' },
    { input: [] },
    { input: ['a', ''] },
    { input: [1, 2] },
    { input: 'a', dimensions: 0 },
    { input: 'a', encoding_format: 'hex' },
  ])('is not %j', fields => {
    expect(() => readEmbeddings(fields)).toThrow(/input|dimensions|encoding_format/);
  });
});

describe('vectors', () => {
  const response = (priced: boolean) =>
    ({
      embeddings: [
        [1, -0.5],
        [0.25, 2],
      ],
      model: 'up',
      tokensUsed: 3,
      costUsd: 0.5,
      metadata: { priced },
    }) as unknown as EmbeddingResponse;

  it('come as numbers', () => {
    expect(embeddingsBody(response(true), false)).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [1, -0.5] },
        { object: 'embedding', index: 1, embedding: [0.25, 2] },
      ],
      model: 'up',
      usage: { prompt_tokens: 3, total_tokens: 3, cost: 0.5 },
    });
  });

  it('come as little-endian float32 in base64', () => {
    const { data } = embeddingsBody(response(true), true);
    const bytes = Buffer.from(String(data[0]?.embedding), 'base64');
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4), bytes.length]).toEqual([1, -0.5, 8]);
  });

  it('of an unknown price say so', () => {
    expect(embeddingsBody(response(false), false).usage.cost).toBeNull();
  });
});
