import { copyFile, mkdtemp, open, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Adapter, collect, type InferenceStreamEvent } from '@x/airframe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LlamaCppExtra, llamaCppAdapter } from '../../src/index.ts';
import { DEMO_MODEL, demoEndpoint } from '../demo-model.ts';
import { ENGINES } from '../engines.ts';

const endpoint = demoEndpoint({ contextTokens: 512 });
/** An answer that does not end by itself. */
const endless = { prompt: 'one two', temperature: 0, extra: { grammar: 'root ::= [a-z ] root' } };

describe.each(ENGINES)('the engine %s', engine => {
  let adapter: Adapter<LlamaCppExtra>;
  beforeAll(() => {
    adapter = llamaCppAdapter({ engine });
  });
  afterAll(() => adapter.close());

  async function readTokens(stream: AsyncIterable<InferenceStreamEvent>, count: number): Promise<string> {
    let text = '';
    let tokens = 0;
    for await (const event of stream) {
      if (event.type !== 'token') continue;
      text += event.text;
      if (++tokens === count) break;
    }
    return text;
  }

  describe('one model and several calls', () => {
    it('answers three at once, each as if it were alone', async () => {
      const prompts = ['The sky is', 'Two and two make', 'A wing is'];
      const ask = (prompt: string) =>
        collect(adapter.streamInfer(endpoint, { prompt, temperature: 0, maxTokens: 12 }));
      const together = await Promise.all(prompts.map(ask));
      const alone: string[] = [];
      for (const prompt of prompts) alone.push((await ask(prompt)).text);
      expect(together.map(result => result.text)).toEqual(alone);
    });

    it('goes on with the next call after an abort in mid-stream, and reports what was used', async () => {
      const leaving = new AbortController();
      const stream = adapter.streamInfer(endpoint, endless, { signal: leaving.signal });
      const types: string[] = [];
      let tokens = 0;
      for await (const event of stream) {
        types.push(event.type);
        if (event.type === 'token' && ++tokens === 5) leaving.abort();
        if (event.type === 'done') {
          expect(event.finishReason).toBe('aborted');
          expect(event.usage).toMatchObject({ source: 'reported', promptTokens: expect.any(Number) });
          expect(event.usage.completionTokens).toBeGreaterThanOrEqual(5);
          expect(event.usage.completionTokens).toBeLessThan(20);
        }
      }
      expect(types.slice(-2)).toEqual(['error', 'done']);
      const next = await collect(adapter.streamInfer(endpoint, { prompt: 'one', maxTokens: 3 }));
      expect(next.usage.completionTokens).toBeGreaterThan(0);
    });

    it('goes on with the next call when a reader leaves', async () => {
      const waiting = collect(adapter.streamInfer(endpoint, { ...endless, maxTokens: 4 }));
      await readTokens(adapter.streamInfer(endpoint, endless), 3);
      expect((await waiting).usage.completionTokens).toBe(4);
      const text = await readTokens(adapter.streamInfer(endpoint, endless), 3);
      expect(text).not.toBe('');
    });

    it('leaves nothing of an aborted answer in the next one', async () => {
      const ask = () => collect(adapter.streamInfer(endpoint, { ...endless, maxTokens: 16 }));
      const before = await ask();
      await readTokens(adapter.streamInfer(endpoint, { ...endless, prompt: 'one two three four' }), 6);
      expect((await ask()).text).toBe(before.text);
    });
  });

  describe('a model file', () => {
    it('that is cut off is refused by name, and loads once it is whole', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'model-'));
      const path = join(folder, 'copy.gguf');
      const spec = demoEndpoint({ contextTokens: 64 }, path);
      try {
        await copyFile(DEMO_MODEL, path);
        await truncate(path, Math.floor((await stat(path)).size / 2));
        const refused = await collect(adapter.streamInfer(spec, { prompt: 'one' }), { throwOnError: false });
        expect(refused.error).toMatchObject({ category: 'backend', message: expect.stringContaining(path) });
        expect((await adapter.health(spec)).state).toBe('unhealthy');
        await copyFile(DEMO_MODEL, path);
        const whole = await collect(adapter.streamInfer(spec, { prompt: 'one', maxTokens: 2 }));
        expect(whole.usage.completionTokens).toBeGreaterThan(0);
        expect((await adapter.health(spec)).state).toBe('healthy');
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it('that is missing, or no GGUF, is refused before llama.cpp sees it', async () => {
      const ask = (path: string) =>
        collect(adapter.streamInfer(demoEndpoint({}, path), { prompt: 'one' }), { throwOnError: false });
      expect((await ask('/nowhere/model.gguf')).error?.category).toBe('not_found');
      const folder = await mkdtemp(join(tmpdir(), 'model-'));
      const path = join(folder, 'model.gguf');
      await (await open(path, 'w')).close();
      expect((await ask(path)).error?.category).toBe('invalid_request');
      await rm(folder, { recursive: true });
    });

    it('tells how far it is loaded, up to 1', async () => {
      const fractions: number[] = [];
      const fresh = llamaCppAdapter({ engine, onLoadProgress: fraction => fractions.push(fraction) });
      const unloaded = demoEndpoint({ contextTokens: 500 });
      await collect(fresh.streamInfer(unloaded, { prompt: 'one', maxTokens: 1 }));
      await fresh.close();
      expect(fractions.at(-1)).toBe(1);
      expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    });
  });
});
