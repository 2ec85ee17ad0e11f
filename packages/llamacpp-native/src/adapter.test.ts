import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AirframeError, collect, type EndpointSpec, type InferenceStreamEvent } from '@x/airframe';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FakeEngine } from '../test/fake-engine.ts';
import { ggufBytes } from '../test/gguf-writer.ts';
import { llamaCppAdapter } from './adapter.ts';

let folder: string;
let endpoint: EndpointSpec;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'adapter-'));
  const path = join(folder, 'model.gguf');
  await writeFile(path, ggufBytes());
  endpoint = { name: 'here', backendKind: 'llamacpp_native', baseUrl: pathToFileURL(path).href };
});
afterAll(() => rm(folder, { recursive: true }));

const turn = () => new Promise(setImmediate);
const forever = () => new Promise<never>(() => {});

async function texts(stream: AsyncIterable<InferenceStreamEvent>, count: number): Promise<string[]> {
  const read: string[] = [];
  for await (const event of stream) {
    if (event.type === 'token') read.push(event.text);
    if (read.length === count) break;
  }
  return read;
}

describe('a call', () => {
  it('yields tokens, the message and done with usage, timings and the model', async () => {
    const adapter = llamaCppAdapter({ engine: new FakeEngine() });
    const result = await collect(adapter.streamInfer(endpoint, { prompt: 'x' }));
    expect(result).toMatchObject({
      text: 'one two',
      finishReason: 'stop',
      model: 'fake',
      usage: { promptTokens: 7, cachedTokens: 2, completionTokens: 2, source: 'reported' },
      timings: { promptMs: 1, generationMs: 2, tokensPerSecond: 500 },
    });
  });

  it('gives one piece when it is not to stream', async () => {
    const adapter = llamaCppAdapter({ engine: new FakeEngine() });
    expect(await texts(adapter.streamInfer(endpoint, { prompt: 'x', stream: false }), 9)).toEqual([
      'one two',
    ]);
  });

  it('takes llama-server’s defaults and hands the request’s own values on', async () => {
    const engine = new FakeEngine();
    const adapter = llamaCppAdapter({ engine });
    await collect(adapter.streamInfer(endpoint, { messages: [{ role: 'user', content: 'hi' }] }));
    const extra = { top_k: 5, min_p: 0.1, repeat_penalty: 1.1, repeat_last_n: 8 };
    const options = { temperature: 0, topP: 0.5, seed: 3, maxTokens: 4, stop: ['s'], extra };
    await collect(adapter.streamInfer(endpoint, { prompt: 'raw', ...options }));
    expect(engine.prompts).toEqual(['hi', 'raw']);
    expect(engine.generates[0]?.sampling).toEqual({
      temperature: 0.8,
      topK: 40,
      topP: 0.95,
      minP: 0.05,
      repeatPenalty: 1,
      repeatLastN: 64,
      seed: undefined,
    });
    expect(engine.generates[1]).toMatchObject({
      sampling: {
        temperature: 0,
        topK: 5,
        topP: 0.5,
        minP: 0.1,
        repeatPenalty: 1.1,
        repeatLastN: 8,
        seed: 3,
      },
      maxTokens: 4,
      stop: ['s'],
    });
  });

  it('makes no token that nobody has asked for', async () => {
    const engine = new FakeEngine({ x: ['a', 'b', 'c', 'd'] });
    const stream = llamaCppAdapter({ engine }).streamInfer(endpoint, { prompt: 'x' });
    await stream.next();
    await stream.next();
    await turn();
    expect(engine.made).toBe(2);
    await stream.return?.();
    expect(engine.closed).toBe(1);
  });

  it.each([
    ['tools', { prompt: 'x', tools: [{ name: 't', parameters: {} }] }],
    [
      'images',
      { messages: [{ role: 'user', content: [{ type: 'image', url: 'data:image/png;base64,AA' }] }] },
    ],
    ['top_n', { prompt: 'x', extra: { top_n: 1 } }],
    ['min_p', { prompt: 'x', extra: { min_p: 2 } }],
  ])('refuses %s by name', async (what, request) => {
    const engine = new FakeEngine();
    const stream = llamaCppAdapter({ engine }).streamInfer(endpoint, request as { prompt: string });
    const { error } = await collect(stream, { throwOnError: false });
    expect(error).toMatchObject({ category: 'invalid_request', message: expect.stringContaining(what) });
    expect(engine.loads).toHaveLength(0);
  });
});

describe('what an adapter keeps', () => {
  it.each([
    [{ maxLoaded: 0 }, 'maxLoaded'],
    [{ idleUnloadMs: -1 }, 'idleUnloadMs'],
    [{ idleUnloadMs: 2 ** 31 }, 'idleUnloadMs'],
  ])('cannot be %j', (options, named) => {
    expect(() => llamaCppAdapter(options)).toThrow(
      expect.objectContaining({ code: 'configuration', message: expect.stringContaining(named) }),
    );
  });
});

describe('loading', () => {
  it('happens once for calls at the same time, and once more for other options', async () => {
    const engine = new FakeEngine();
    const adapter = llamaCppAdapter({ engine });
    const small = { ...endpoint, options: { contextTokens: 16, threads: 2 } };
    const all = [endpoint, endpoint, small].map(spec => collect(adapter.streamInfer(spec, { prompt: 'x' })));
    await Promise.all(all);
    expect(engine.loads).toHaveLength(2);
    expect(new Set(engine.loads.map(load => load.contextTokens))).toEqual(new Set([undefined, 16]));
  });

  it('that failed is tried again by the next call', async () => {
    const engine = new FakeEngine();
    const adapter = llamaCppAdapter({ engine });
    engine.loadGate = () => Promise.reject(new AirframeError('backend', 'no memory'));
    const failed = await collect(adapter.streamInfer(endpoint, { prompt: 'x' }), { throwOnError: false });
    expect(failed.error).toMatchObject({ category: 'backend', message: 'no memory' });
    expect(await adapter.health(endpoint)).toMatchObject({ state: 'unhealthy', reason: 'no memory' });
    engine.loadGate = async () => {};
    await expect(collect(adapter.streamInfer(endpoint, { prompt: 'x' }))).resolves.toMatchObject({
      finishReason: 'stop',
    });
  });

  it('shows in health: unknown, loading, healthy', async () => {
    const engine = new FakeEngine();
    const adapter = llamaCppAdapter({ engine });
    let open: (value?: unknown) => void = () => {};
    engine.loadGate = () => new Promise(resolve => (open = resolve));
    const states = [(await adapter.health(endpoint)).state];
    const call = collect(adapter.streamInfer(endpoint, { prompt: 'x' }));
    while (engine.loads.length === 0) await turn();
    states.push((await adapter.health(endpoint)).state);
    open();
    await call;
    states.push((await adapter.health(endpoint)).state);
    expect(states).toEqual(['unknown', 'loading', 'healthy']);
  });

  it('is given up with the last call that waits for it, and then begun anew', async () => {
    const engine = new FakeEngine();
    const progress: number[] = [];
    const adapter = llamaCppAdapter({ engine, onLoadProgress: fraction => progress.push(fraction) });
    engine.loadGate = forever;
    const leave = (leaving: AbortController) =>
      collect(adapter.streamInfer(endpoint, { prompt: 'x' }, { signal: leaving.signal }), {
        throwOnError: false,
      });
    const [first, last] = [new AbortController(), new AbortController()];
    const [left, leftLast] = [leave(first), leave(last)];
    while (engine.loads.length === 0) await turn();
    first.abort();
    expect((await left).finishReason).toBe('aborted');
    engine.loads[0]?.onProgress?.(0.5);
    expect(engine.loads[0]?.signal?.aborted).toBe(false);
    last.abort();
    expect((await leftLast).finishReason).toBe('aborted');
    expect(engine.loads[0]?.signal?.aborted).toBe(true);
    expect((await adapter.health(endpoint)).state).toBe('unknown');
    engine.loadGate = async () => {};
    await collect(adapter.streamInfer(endpoint, { prompt: 'x' }));
    expect(engine.loads).toHaveLength(2);
    expect(progress).toEqual([0, 0.5, 0, 1]);
  });

  it('happens once for adapters over one engine, and lasts until the last of them is closed', async () => {
    const engine = new FakeEngine();
    const [one, other] = [llamaCppAdapter({ engine }), llamaCppAdapter({ engine })];
    await Promise.all([one, other].map(adapter => collect(adapter.streamInfer(endpoint, { prompt: 'x' }))));
    expect(engine.loads).toHaveLength(1);
    await one.close();
    expect(engine.disposed).toBe(0);
    expect((await other.health(endpoint)).state).toBe('healthy');
    await other.close();
    expect(engine.disposed).toBe(1);
  });

  it('is refused before it begins when the model does not fit, unless the endpoint says not to look', async () => {
    const engine = new FakeEngine();
    const adapter = llamaCppAdapter({ engine });
    const path = join(folder, 'large.gguf');
    const metadata = {
      'general.architecture': 'llama',
      'llama.block_count': 32,
      'llama.embedding_length': 4096,
      'llama.attention.head_count': 32,
    };
    await writeFile(path, ggufBytes(metadata));
    const options = { contextTokens: 1_000_000_000 };
    const large = { ...endpoint, baseUrl: pathToFileURL(path).href, options };
    const { error } = await collect(adapter.streamInfer(large, { prompt: 'x' }), { throwOnError: false });
    expect(error).toMatchObject({ category: 'backend', code: 'out_of_memory' });
    expect(error?.message).toMatch(/needs 524\d{3}\.\d GB of memory, .*options\.checkMemory to false/);
    expect(engine.loads).toHaveLength(0);
    const unchecked = { ...large, options: { ...options, checkMemory: false } };
    await collect(adapter.streamInfer(unchecked, { prompt: 'x' }));
    expect(engine.loads).toHaveLength(1);
  });

  it('on the GPU falls back to the CPU, and says so once', async () => {
    const engine = new FakeEngine();
    engine.loadGate = async () => {
      if (engine.loads.at(-1)?.gpuLayers !== 0) throw new AirframeError('backend', 'no GPU');
    };
    const warnings: string[] = [];
    const adapter = llamaCppAdapter({ engine, maxLoaded: 1, onWarning: message => warnings.push(message) });
    const gpu = { ...endpoint, options: { gpuLayers: 7 } };
    for (const spec of [gpu, { ...endpoint, options: { gpuLayers: 0 } }, gpu]) {
      expect((await collect(adapter.streamInfer(spec, { prompt: 'x' }))).text).toBe('one two');
    }
    expect(engine.loads.map(load => load.gpuLayers)).toEqual([7, 0, 0, 7, 0]);
    expect(warnings).toEqual([
      `${join(folder, 'model.gguf')} runs on the CPU: with gpuLayers 7 it could not be loaded (no GPU)`,
    ]);
  });

  it('is subject to the headers deadline', async () => {
    const engine = new FakeEngine();
    engine.loadGate = forever;
    const stream = llamaCppAdapter({ engine }).streamInfer(
      endpoint,
      { prompt: 'x' },
      { timeouts: { headersMs: 10 } },
    );
    const { error } = await collect(stream, { throwOnError: false });
    expect(error).toMatchObject({ category: 'timeout', code: 'headers_timeout' });
  });
});

describe('the queue', () => {
  it('serves calls in the order of asking', async () => {
    const engine = new FakeEngine();
    const adapter = llamaCppAdapter({ engine });
    await collect(adapter.streamInfer(endpoint, { prompt: 'first' }));
    await Promise.all(['a', 'b', 'c'].map(prompt => collect(adapter.streamInfer(endpoint, { prompt }))));
    expect(engine.prompts).toEqual(['first', 'a', 'b', 'c']);
  });

  it('lets the next one in when a reader leaves', async () => {
    const engine = new FakeEngine({ long: ['a', 'b', 'c'] });
    const adapter = llamaCppAdapter({ engine });
    expect(await texts(adapter.streamInfer(endpoint, { prompt: 'long' }), 1)).toEqual(['a']);
    await expect(collect(adapter.streamInfer(endpoint, { prompt: 'x' }))).resolves.toMatchObject({
      text: 'one two',
    });
    expect(engine.closed).toBe(2);
  });

  it('ends an aborted call at once, but lets the next one in only when the engine is free', async () => {
    let finish: (value?: unknown) => void = () => {};
    const evaluation = () => new Promise(resolve => (finish = resolve));
    const engine = new FakeEngine({ slow: ['a', evaluation, 'b'] });
    const adapter = llamaCppAdapter({ engine });
    const leaving = new AbortController();
    const stream = adapter.streamInfer(endpoint, { prompt: 'slow' }, { signal: leaving.signal });
    await stream.next();
    const rest = collect(stream, { throwOnError: false });
    await turn();
    leaving.abort();
    expect(await rest).toMatchObject({
      finishReason: 'aborted',
      usage: { promptTokens: 7, cachedTokens: 2, completionTokens: 1, source: 'reported' },
    });
    const next = collect(adapter.streamInfer(endpoint, { prompt: 'x' }));
    await turn();
    expect(engine.prompts).toEqual(['slow']);
    finish();
    expect((await next).text).toBe('one two');
  });

  it('is left by an aborted call that waits in it', async () => {
    const engine = new FakeEngine({ stuck: [forever] });
    const adapter = llamaCppAdapter({ engine });
    void collect(adapter.streamInfer(endpoint, { prompt: 'stuck' }), { throwOnError: false });
    await vi.waitFor(() => expect(engine.prompts).toEqual(['stuck']));
    const stream = adapter.streamInfer(endpoint, { prompt: 'x' }, { timeouts: { totalMs: 20 } });
    const { error } = await collect(stream, { throwOnError: false });
    expect(error).toMatchObject({ category: 'timeout', code: 'total_timeout' });
    expect(engine.prompts).toEqual(['stuck']);
  });

  it('counts silence between tokens, but not while the reader takes its time', async () => {
    const engine = new FakeEngine({ stalls: ['a', 'b', forever] });
    const adapter = llamaCppAdapter({ engine });
    const timeouts = { idleMs: 30 };
    const stream = adapter.streamInfer(endpoint, { prompt: 'stalls' }, { timeouts });
    expect((await stream.next()).value).toMatchObject({ text: 'a' });
    await new Promise(resolve => setTimeout(resolve, 60));
    expect((await stream.next()).value).toMatchObject({ text: 'b' });
    const { error, finishReason } = await collect(stream, { throwOnError: false });
    expect(error?.code).toBe('idle_timeout');
    expect(finishReason).toBe('stalled');
  });
});

describe('close', () => {
  it('ends calls under way, frees the model and refuses what comes later', async () => {
    let finish: (value?: unknown) => void = () => {};
    const evaluation = () => new Promise(resolve => (finish = resolve));
    const engine = new FakeEngine({ slow: ['a', evaluation] });
    const adapter = llamaCppAdapter({ engine });
    const stream = adapter.streamInfer(endpoint, { prompt: 'slow' });
    await stream.next();
    const rest = collect(stream, { throwOnError: false });
    const waiting = collect(adapter.streamInfer(endpoint, { prompt: 'x' }), { throwOnError: false });
    await turn();
    const closing = adapter.close();
    expect((await rest).finishReason).toBe('aborted');
    expect((await waiting).finishReason).toBe('aborted');
    expect(engine.disposed).toBe(0);
    finish();
    await closing;
    expect(engine.disposed).toBe(1);
    const late = await collect(adapter.streamInfer(endpoint, { prompt: 'x' }), { throwOnError: false });
    expect(late.error?.message).toMatch(/the adapter is closed/);
  });
});
