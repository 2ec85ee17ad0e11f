import { type Adapter, collect } from '@x/airframe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LlamaCppExtra, llamaCppAdapter, readModelFile } from '../../src/index.ts';
import { DEMO_MODEL, demoEndpoint } from '../demo-model.ts';
import { ENGINES } from '../engines.ts';

const endpoint = demoEndpoint({ contextTokens: 256 });
const messages = [{ role: 'user' as const, content: 'What is 2+2?' }];

/** How alike two vectors of length 1 are; 1: they point the same way. */
function cosine(one: number[] = [], other: number[] = []): number {
  return one.reduce((sum, value, i) => sum + value * (other[i] ?? 0), 0);
}

describe.each(ENGINES)('a real model of the engine %s', engine => {
  let adapter: Adapter<LlamaCppExtra>;
  beforeAll(() => {
    adapter = llamaCppAdapter({ engine });
  });
  afterAll(() => adapter.close());

  const embed = async (input: string | string[]) => {
    const result = await adapter.embed?.(endpoint, { input });
    if (!result) throw new Error('no embed');
    return result;
  };

  it('counts the tokens that a call then has', async () => {
    for (const request of [{ messages }, { prompt: 'one two three' }]) {
      const { usage } = await collect(adapter.streamInfer(endpoint, { ...request, maxTokens: 1 }));
      const count = await adapter.countTokens?.(endpoint, request);
      expect(count).toEqual({ tokens: usage.promptTokens, exact: true });
    }
  });

  it('makes vectors of length 1, the same for the same text, others for others', async () => {
    const { embeddings, usage, model } = await embed(['a wing', 'a wing', 'two and two']);
    const { embeddingLength } = await readModelFile(DEMO_MODEL);
    expect(embeddings.map(vector => vector.length)).toEqual(Array(3).fill(embeddingLength));
    for (const vector of embeddings) expect(Math.hypot(...vector)).toBeCloseTo(1);
    // What llama.cpp evaluates together may differ in the last bits.
    expect(cosine(embeddings[1], embeddings[0])).toBeCloseTo(1, 4);
    expect(cosine(embeddings[2], embeddings[0])).toBeLessThan(0.99);
    expect(model).toBe('pilot');
    const alone = await embed('two and two');
    expect(usage.promptTokens).toBeGreaterThan(alone.usage.promptTokens);
    expect(cosine(alone.embeddings[0], embeddings[2])).toBeCloseTo(1, 4);
  });

  it('leaves answers as they are while it makes vectors', async () => {
    const ask = () => collect(adapter.streamInfer(endpoint, { messages, temperature: 0, maxTokens: 12 }));
    const before = await ask();
    const [, during] = await Promise.all([embed(['one', 'two', 'three']), ask(), embed('four')]);
    expect(during.text).toBe(before.text);
  });

  it('refuses a text that is too long with both numbers, and goes on', async () => {
    const text = 'one two three four five '.repeat(100);
    const failing = embed(['short', text]);
    await expect(failing).rejects.toMatchObject({ category: 'context_length', contextTokens: 256 });
    await expect(failing).rejects.toHaveProperty('promptTokens', expect.any(Number));
    expect((await embed('short')).embeddings).toHaveLength(1);
  });

  it('tells what it is', async () => {
    expect(await adapter.listModels?.(endpoint)).toMatchObject([
      { id: 'pilot', contextTokens: 256, architecture: 'llama', hasChatTemplate: true },
    ]);
  });
});
