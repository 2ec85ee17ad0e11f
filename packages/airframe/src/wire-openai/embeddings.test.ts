import { describe, expect, it } from 'vitest';
import { readEmbeddings } from './embeddings.ts';

const two = { input: ['one', 'two'] };
const usage = { prompt_tokens: 7, total_tokens: 7 };

function base64(...floats: number[]): string {
  const bytes = Buffer.alloc(floats.length * 4);
  floats.forEach((float, i) => {
    bytes.writeFloatLE(float, i * 4);
  });
  return bytes.toString('base64');
}

describe('the vectors', () => {
  it('are in the order of the texts, whatever the order of the answer', () => {
    const data = [
      { index: 1, embedding: [3, 4] },
      { index: 0, embedding: [1, 2] },
    ];
    expect(readEmbeddings({ data, model: 'e', usage }, two)).toEqual({
      embeddings: [
        [1, 2],
        [3, 4],
      ],
      model: 'e',
      usage: { promptTokens: 7, completionTokens: 0, totalTokens: 7, source: 'reported' },
    });
  });

  it.each([undefined, null, 0])('are in the order of the answer where each has the index %j', index => {
    const data = [
      { index, embedding: [1] },
      { index, embedding: [2] },
    ];
    expect(readEmbeddings({ data }, two).embeddings).toEqual([[1], [2]]);
  });

  it('may be base64 of little-endian float32', () => {
    const data = [{ index: 0, embedding: base64(0.5, -2, 1e-3) }];
    const [vector] = readEmbeddings({ data }, { input: 'one' }).embeddings;
    expect(vector).toEqual([0.5, -2, Math.fround(1e-3)]);
  });

  it('of another length than was asked for are refused: some servers leave dimensions unread', () => {
    const data = [{ index: 0, embedding: [1, 2, 3] }];
    const request = { input: 'one', dimensions: 2 };
    expect(() => readEmbeddings({ data }, request)).toThrow(/of 2 dimensions.*gave 3; leave out dimensions/);
    expect(readEmbeddings({ data }, { ...request, dimensions: 3 }).embeddings).toEqual([[1, 2, 3]]);
  });
});

describe('the usage', () => {
  it.each([[undefined], [{}], [{ prompt_tokens: null }], [{ prompt_tokens: 0, total_tokens: 0 }]])(
    'is estimated from the characters when the backend says %j',
    said => {
      const data = [{ embedding: [1] }, { embedding: [2] }];
      expect(readEmbeddings({ data, usage: said }, { input: ['abcde', 'fghij'] }).usage).toEqual({
        promptTokens: 3,
        completionTokens: 0,
        totalTokens: 3,
        source: 'estimated',
      });
    },
  );
});

describe('an odd answer', () => {
  const vector = { index: 0, embedding: [1] };
  it.each([
    ['nothing', null, /no vectors for 2 texts/],
    ['no list', { data: {} }, /no vectors for 2 texts/],
    ['a vector too few', { data: [vector] }, /1 vectors for 2 texts/],
    ['a vector too many', { data: [vector, vector, vector] }, /3 vectors for 2 texts/],
    ['an entry without a vector', { data: [vector, null] }, /neither floats nor base64/],
    ['an empty vector', { data: [vector, { index: 1, embedding: [] }] }, /neither floats nor base64/],
    ['a nested vector', { data: [vector, { index: 1, embedding: [[1]] }] }, /neither floats nor base64/],
    ['base64 cut short', { data: [vector, { index: 1, embedding: 'AAA=' }] }, /neither floats nor base64/],
  ])('with %s is a parse error', (_name, json, message) => {
    expect(() => readEmbeddings(json, two)).toThrow(expect.objectContaining({ category: 'parse' }));
    expect(() => readEmbeddings(json, two)).toThrow(message);
  });

  it('with an error in it is that error', () => {
    const json = { error: { code: 429, message: 'slow down' } };
    expect(() => readEmbeddings(json, two)).toThrow(expect.objectContaining({ category: 'rate_limit' }));
  });
});
