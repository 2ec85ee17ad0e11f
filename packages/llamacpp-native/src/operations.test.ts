import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { collect, type EndpointSpec } from '@x/airframe';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FakeEngine } from '../test/fake-engine.ts';
import { ggufBytes } from '../test/gguf-writer.ts';
import { llamaCppAdapter } from './adapter.ts';

let folder: string;
let endpoint: EndpointSpec;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'operations-'));
  const path = join(folder, 'model.gguf');
  const metadata = {
    'general.architecture': 'llama',
    'general.name': 'Small',
    'general.file_type': 7,
    'llama.context_length': 8192,
    'tokenizer.chat_template': 'x',
  };
  await writeFile(path, ggufBytes(metadata, { one: [3] }));
  endpoint = { name: 'here', backendKind: 'llamacpp_native', baseUrl: pathToFileURL(path).href };
});
afterAll(() => rm(folder, { recursive: true }));

describe('the manifest', () => {
  it('says what the engine can', () => {
    const engine = new FakeEngine();
    const can = { embed: true, countTokens: true, listModels: true };
    expect(llamaCppAdapter({ engine }).capabilities).toMatchObject(can);
    const less = llamaCppAdapter({ engine: { load: options => engine.load(options) } });
    expect(less.capabilities).toMatchObject({ embed: false, countTokens: false, listModels: true });
    expect([less.embed, less.countTokens]).toEqual([undefined, undefined]);
  });
});

describe('embed', () => {
  it('gives a vector for each text and counts the tokens of all', async () => {
    const adapter = llamaCppAdapter({ engine: new FakeEngine() });
    expect(await adapter.embed?.(endpoint, { input: ['one two', 'three'] })).toEqual({
      embeddings: [
        [7, 1],
        [5, 1],
      ],
      model: 'fake',
      usage: { promptTokens: 3, completionTokens: 0, totalTokens: 3, source: 'reported' },
    });
    expect((await adapter.embed?.(endpoint, { input: 'x', dimensions: 2 }))?.embeddings).toEqual([[1, 1]]);
  });

  it.each([
    ['make vectors of 3 dimensions, only of 2', { dimensions: 3 }],
    ['heed extra.pooling when it embeds', { extra: { pooling: 'mean' } }],
  ])('does not %s', async (what, more) => {
    const adapter = llamaCppAdapter({ engine: new FakeEngine() });
    await expect(adapter.embed?.(endpoint, { input: 'x', ...more })).rejects.toMatchObject({
      category: 'invalid_request',
      code: 'unsupported',
      message: `fake in this process does not ${what}`,
    });
  });

  it('waits its turn, and an abort ends it after the text it is at', async () => {
    let finish: (value?: unknown) => void = () => {};
    const engine = new FakeEngine();
    engine.embedGate = () => new Promise(resolve => (finish = resolve));
    const adapter = llamaCppAdapter({ engine });
    const leaving = new AbortController();
    const left = adapter.embed?.(endpoint, { input: ['a', 'b'] }, { signal: leaving.signal });
    await vi.waitFor(() => expect(engine.embedded).toEqual(['a']));
    const next = collect(adapter.streamInfer(endpoint, { prompt: 'x' }));
    leaving.abort();
    await expect(left).rejects.toMatchObject({ category: 'aborted' });
    expect(engine.prompts).toEqual([]);
    finish();
    expect((await next).text).toBe('one two');
    expect(engine.embedded).toEqual(['a']);
  });
});

describe('countTokens', () => {
  it('counts a prompt as it stands and a chat through its template, and generates nothing', async () => {
    const engine = new FakeEngine();
    const adapter = llamaCppAdapter({ engine });
    const messages = [
      { role: 'system' as const, content: 'be brief' },
      { role: 'user' as const, content: 'hi' },
    ];
    expect(await adapter.countTokens?.(endpoint, { prompt: 'a b c' })).toEqual({ tokens: 3, exact: true });
    expect(await adapter.countTokens?.(endpoint, { messages })).toEqual({ tokens: 2, exact: true });
    expect(engine.prompts).toEqual([]);
  });
});

describe('listModels', () => {
  it('tells what the file says, and loads nothing', async () => {
    const engine = new FakeEngine();
    const adapter = llamaCppAdapter({ engine });
    const facts = {
      id: 'Small',
      bytes: expect.any(Number),
      architecture: 'llama',
      parameters: 3,
      quantization: 'Q8_0',
      trainedContextTokens: 8192,
      hasChatTemplate: true,
    };
    expect(await adapter.listModels?.(endpoint)).toEqual([{ ...facts, contextTokens: 4096 }]);
    const roomy = { ...endpoint, options: { contextTokens: 100_000 } };
    expect(await adapter.listModels?.(roomy)).toEqual([{ ...facts, contextTokens: 8192 }]);
    expect(engine.loads).toEqual([]);
  });
});
