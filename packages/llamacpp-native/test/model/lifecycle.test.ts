import { setTimeout as sleep } from 'node:timers/promises';
import { collect } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { type LlamaCppAdapterOptions, llamaCppAdapter, readModelFile } from '../../src/index.ts';
import { estimateMemory } from '../../src/memory-estimate.ts';
import { DEMO_MODEL, demoEndpoint } from '../demo-model.ts';
import { ENGINES } from '../engines.ts';

const request = { prompt: 'one two three', temperature: 0, maxTokens: 4 };

/** An adapter that notes what it is told. */
function watched(options: LlamaCppAdapterOptions) {
  const [fractions, warnings]: [number[], string[]] = [[], []];
  const adapter = llamaCppAdapter({
    onLoadProgress: fraction => fractions.push(fraction),
    onWarning: message => warnings.push(message),
    ...options,
  });
  return { adapter, fractions, warnings };
}

describe.each(ENGINES)('a model of the engine %s', engine => {
  it('is loaded once for two adapters, and each sees what the other left in its cache', async () => {
    const [one, other] = [watched({ engine }), watched({ engine })];
    const endpoint = demoEndpoint({ contextTokens: 256 });
    const first = await collect(one.adapter.streamInfer(endpoint, request));
    const second = await collect(other.adapter.streamInfer(endpoint, request));
    expect(second.text).toBe(first.text);
    expect(second.usage.cachedTokens).toBe(second.usage.promptTokens - 1);
    expect([one.fractions.at(-1), other.fractions]).toEqual([1, []]);
    await one.adapter.close();
    const third = await collect(other.adapter.streamInfer(endpoint, request));
    expect(third.text).toBe(first.text);
    await other.adapter.close();
    expect(other.warnings).toEqual([]);
  });

  it('is unloaded when it has been idle, and loaded again by the next call', async () => {
    const { adapter, fractions } = watched({ engine });
    const endpoint = demoEndpoint({ contextTokens: 256, idleUnloadMs: 10 });
    await collect(adapter.streamInfer(endpoint, request));
    const loaded = fractions.length;
    while ((await adapter.health(endpoint)).state === 'healthy') await sleep(5);
    expect((await adapter.health(endpoint)).state).toBe('unknown');
    await collect(adapter.streamInfer(endpoint, request));
    expect(fractions.length).toBeGreaterThan(loaded);
    await adapter.close();
  });

  it('runs on the CPU where there is no GPU, and that is said once', async () => {
    const { adapter, warnings } = watched({ engine });
    const endpoint = demoEndpoint({ contextTokens: 256, gpuLayers: 1_000 });
    const { text } = await collect(adapter.streamInfer(endpoint, request));
    expect(text).not.toBe('');
    await collect(adapter.streamInfer(endpoint, request));
    const onCpu = `${DEMO_MODEL} runs on the CPU: with gpuLayers 1000 it could not be loaded`;
    expect(warnings.filter(warning => !warning.startsWith(onCpu))).toEqual([]);
    expect(warnings.length).toBeLessThanOrEqual(1);
    await adapter.close();
  });

  it('has a cache as large as was estimated before it was loaded', async () => {
    const lines: string[] = [];
    const { adapter } = watched({ engine, onLog: (_, line) => lines.push(line) });
    const options = { contextTokens: 768, parallel: 3 };
    await collect(adapter.streamInfer(demoEndpoint(options), request));
    await adapter.close();
    const megabytes = /KV buffer size = +([\d.]+) MiB/.exec(lines.join('\n'))?.[1];
    const sequences = engine === 'core' ? options.parallel : 1;
    const plan = { contextTokens: options.contextTokens, sequences };
    const { kvCache } = estimateMemory(await readModelFile(DEMO_MODEL), plan);
    expect(kvCache / 2 ** 20).toBeCloseTo(Number(megabytes), 1);
  });
});
