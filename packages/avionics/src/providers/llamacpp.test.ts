import { setTimeout as sleep } from 'node:timers/promises';
import { type Adapter, AirframeError, collect, defineAdapter } from '@x/airframe';
import { llamaCppAdapter } from '@x/llamacpp-native';
import { describe, expect, it, vi } from 'vitest';
import { LlamaCppProvider, llamaCppNativeAdapter } from './llamacpp.ts';

const capabilities = {
  streaming: true,
  rawPrompt: true,
  tools: false,
  images: false,
  reasoning: false,
  jsonSchema: true,
  seed: true,
};

const COUNTED = { promptTokens: 1, completionTokens: 0, totalTokens: 1, source: 'reported' as const };

/** Stands where the native package would: answers with what it was given. */
function echo() {
  const close = vi.fn(async () => {});
  const adapter = defineAdapter({
    kind: 'llamacpp_native',
    capabilities,
    embed: async ({ request }) => ({ embeddings: [[request.input.length]], usage: COUNTED }),
    countTokens: async () => ({ tokens: 7, exact: true }),
    listModels: async ({ baseUrl }) => [{ id: baseUrl }],
    infer: async function* ({ endpoint, request }, reply) {
      reply.text(JSON.stringify({ endpoint, request }));
      reply.finish('stop');
      yield;
    },
    health: async () => 'unknown',
    close,
  });
  return { adapter, close };
}

function missing(name: string, importer: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`Cannot find package '${name}' imported from ${importer}`);
  error.code = 'ERR_MODULE_NOT_FOUND';
  return error;
}

describe('LlamaCppProvider', () => {
  it('tells of its package, before that is loaded, what holds with either engine, and then what the package tells', async () => {
    const fallback = llamaCppAdapter({ engine: 'node-llama-cpp' });
    expect(llamaCppNativeAdapter().capabilities).toEqual(fallback.capabilities);
    const { adapter } = echo();
    const native = llamaCppNativeAdapter({ load: async () => adapter });
    await native.health({ name: 'm', backendKind: 'llamacpp_native', baseUrl: 'file:///m.gguf' });
    expect(native.capabilities).toEqual(adapter.capabilities);
  });

  it('loads its package at the first call, once', async () => {
    const { adapter, close } = echo();
    const load = vi.fn(async () => adapter);
    const provider = new LlamaCppProvider('models/a b.gguf', {
      contextTokens: 512,
      gpuLayers: -1,
      threads: 2,
      idleUnloadMs: 60_000,
      checkMemory: false,
      isolation: 'process',
      adapter: llamaCppNativeAdapter({ load }),
    });
    expect(load).not.toHaveBeenCalled();
    const answers = await Promise.all([provider.generate('', 'Hi'), provider.generate('', 'Ho')]);
    expect(load).toHaveBeenCalledTimes(1);
    const { endpoint, request } = JSON.parse(answers[0]);
    expect(endpoint.baseUrl).toMatch(/^file:\/\/\/.*\/models\/a%20b\.gguf$/);
    expect(endpoint.options).toEqual({
      contextTokens: 512,
      gpuLayers: 1_000,
      threads: 2,
      idleUnloadMs: 60_000,
      checkMemory: false,
      isolation: 'process',
    });
    expect(request).toMatchObject({
      temperature: 0.7,
      maxTokens: 512,
      extra: { top_k: 40, repeat_penalty: 1.1 },
    });
    expect(await provider.healthCheck()).toBe(true);
    await Promise.all([provider.close(), provider.close()]);
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('embeds, counts and lists through its package', async () => {
    const load = async () => echo().adapter;
    const provider = new LlamaCppProvider('m.gguf', { adapter: llamaCppNativeAdapter({ load }) });
    expect(await provider.embed({ input: 'abc' })).toEqual({ embeddings: [[3]], usage: COUNTED });
    expect(await provider.countTokens({ prompt: 'x' })).toEqual({ tokens: 7, exact: true });
    expect((await provider.listModels())[0]?.id).toMatch(/m\.gguf$/);
    const broken = llamaCppNativeAdapter({
      load: () => Promise.reject(missing('@x/llamacpp-native', '/x.js')),
    });
    const without = new LlamaCppProvider('m.gguf', { adapter: broken });
    for (const call of [without.embed({ input: 'x' }), without.listModels()]) {
      await expect(call).rejects.toMatchObject({ code: 'package_missing' });
    }
  });

  it('says which settings help when the model does not fit into memory', async () => {
    const infer = () => {
      throw new AirframeError('backend', 'too large', { code: 'out_of_memory', remedy: 'options' });
    };
    const adapter = defineAdapter({ kind: 'llamacpp_native', capabilities, infer });
    const provider = new LlamaCppProvider('m.gguf', { adapter });
    await expect(provider.generate('', 'Hi')).rejects.toMatchObject({
      code: 'out_of_memory',
      message: expect.stringMatching(/^too large; .*LLAMACPP_N_CTX.*LLAMACPP_CHECK_MEMORY=false/),
    });
  });

  it('says what to install when its package is missing, and tries again the next time', async () => {
    const load = vi
      .fn(async () => echo().adapter)
      .mockRejectedValueOnce(missing('@x/llamacpp-native', '/app/x.js'));
    const provider = new LlamaCppProvider('m.gguf', { adapter: llamaCppNativeAdapter({ load }) });
    await expect(provider.generate('', 'Hi')).rejects.toMatchObject({
      category: 'not_found',
      code: 'package_missing',
      message:
        'provider llamacpp needs the package @x/llamacpp-native, which is not installed; run: npm install @x/llamacpp-native',
    });
    expect(await provider.generate('', 'Hi')).toContain('Hi');
  });

  it('tells a broken package from a missing one', async () => {
    const load = async () =>
      Promise.reject(missing('node-llama-cpp', '/app/node_modules/@x/llamacpp-native/dist/index.js'));
    const provider = new LlamaCppProvider('m.gguf', { adapter: llamaCppNativeAdapter({ load }) });
    await expect(provider.generate('', 'Hi')).rejects.toMatchObject({
      category: 'unknown',
      message: expect.stringContaining("Cannot find package 'node-llama-cpp'"),
    });
    expect(await provider.healthCheck()).toBe(false);
  });

  it('can be left while it loads', async () => {
    let loaded: ((_: ReturnType<typeof echo>['adapter']) => void) | undefined;
    const load = () =>
      new Promise<ReturnType<typeof echo>['adapter']>(resolve => {
        loaded = resolve;
      });
    const provider = new LlamaCppProvider('m.gguf', { adapter: llamaCppNativeAdapter({ load }) });
    const stream = provider.infer({ prompt: 'x' });
    const pending = stream.next();
    await vi.waitFor(() => expect(loaded).toBeDefined());
    await stream.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    loaded?.(echo().adapter);
    expect(await collect(provider.infer({ prompt: 'y' }))).toMatchObject({ finishReason: 'stop' });
  });

  it('starts one inference, however many events are asked for at once', async () => {
    const { adapter } = echo();
    const streamInfer = vi.fn(adapter.streamInfer);
    const native = llamaCppNativeAdapter({ load: async () => ({ ...adapter, streamInfer }) });
    const stream = new LlamaCppProvider('m.gguf', { adapter: native }).infer({ prompt: 'x' });
    const steps = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()]);
    expect(steps.map(step => step.value?.type)).toEqual(['token', 'message', 'done', undefined]);
    expect(streamInfer).toHaveBeenCalledTimes(1);
  });

  it('waits for its package no longer than the call may last', async () => {
    const never = llamaCppNativeAdapter({ load: () => new Promise<Adapter>(() => {}) });
    const provider = new LlamaCppProvider('m.gguf', { adapter: never });
    const signal = AbortSignal.timeout(10);
    await expect(provider.generate('', 'Hi', { signal })).rejects.toMatchObject({ category: 'aborted' });
    for (const clock of ['headers', 'total']) {
      const timeouts = { [`${clock}Ms`]: 10 };
      await expect(provider.generate('', 'Hi', { timeouts })).rejects.toMatchObject({
        category: 'timeout',
        code: `${clock}_timeout`,
      });
    }
    expect(provider.getStats()).toMatchObject({ requests: 3, aborted: 1, errors: 2 });
  });

  it('gives the inference what loading has left of the time for the whole call', async () => {
    const { adapter } = echo();
    const streamInfer = vi.fn(adapter.streamInfer);
    const load = () => sleep(50, { ...adapter, streamInfer });
    const provider = new LlamaCppProvider('m.gguf', { adapter: llamaCppNativeAdapter({ load }) });
    await provider.generate('', 'Hi', { timeouts: { totalMs: 60_000 } });
    expect(streamInfer.mock.calls[0]?.[2]?.timeouts?.totalMs).toBeLessThan(60_000);
  });

  it('stops at once when its caller does', async () => {
    const provider = new LlamaCppProvider('m.gguf', {
      adapter: llamaCppNativeAdapter({ load: async () => echo().adapter }),
    });
    const signal = AbortSignal.abort();
    await expect(provider.generate('', 'Hi', { signal })).rejects.toThrow(AirframeError);
  });
});
