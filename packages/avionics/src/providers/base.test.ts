import { collect, type InferenceRequest } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { LLMProvider } from './base.ts';
import type { GenerateOptions, Prompt } from './options.ts';

/** The least a provider can be. */
class Parrot extends LLMProvider {
  readonly name = 'parrot';
  readonly seen: GenerateOptions[] = [];

  override async generate(model: string, prompt: Prompt, options: GenerateOptions = {}): Promise<string> {
    this.seen.push(options);
    if (prompt === 'fail') throw new Error('no');
    return `${model}: ${typeof prompt === 'string' ? prompt : prompt.length}`;
  }

  override async healthCheck(): Promise<boolean> {
    return true;
  }
}

const request: InferenceRequest = { model: 'm', messages: [{ role: 'user', content: 'x' }] };

describe('a provider with only generate and healthCheck', () => {
  it('streams its answer in one piece, with an estimate of its tokens', async () => {
    const provider = new Parrot();
    const chunks = [];
    for await (const chunk of provider.generateStream('m', 'hello')) chunks.push(chunk);
    expect(provider.supportsStreaming).toBe(false);
    expect(chunks.map(({ text, isFinal }) => [text, isFinal])).toEqual([
      ['m: 1', false],
      ['', true],
    ]);
    expect(chunks[1]?.metadata).toMatchObject({
      finishReason: 'stop',
      usage: { source: 'estimated' },
      priced: false,
    });
  });

  it('keeps the stream contract', async () => {
    const provider = new Parrot();
    const options = { temperature: 0.5, maxTokens: 9, extra: { top_k: 1 } };
    expect(await collect(provider.infer({ ...request, ...options }))).toMatchObject({
      text: 'm: 1',
      finishReason: 'stop',
    });
    expect(provider.seen[0]).toMatchObject({ temperature: 0.5, num_predict: 9, top_k: 1 });
    const failed = await collect(provider.infer({ prompt: 'fail' }), { throwOnError: false });
    expect(failed).toMatchObject({ finishReason: 'error', error: { category: 'unknown', message: 'no' } });
    expect(provider.getStats()).toMatchObject({ provider: 'parrot', requests: 2, errors: 1 });
  });

  it('says of each operation it lacks that it lacks it', async () => {
    const provider = new Parrot();
    const lacking = { category: 'invalid_request', code: 'unsupported' };
    await expect(provider.embed({ input: 'x' })).rejects.toMatchObject({
      ...lacking,
      message: 'provider parrot has no embed',
    });
    await expect(provider.countTokens(request)).rejects.toMatchObject(lacking);
    await expect(provider.listModels()).rejects.toMatchObject(lacking);
    expect(provider.getStats().requests).toBe(0);
  });

  it('refuses tools instead of dropping them', async () => {
    const tools = [{ name: 'add', parameters: {} }];
    await expect(collect(new Parrot().infer({ ...request, tools }))).rejects.toMatchObject({
      category: 'invalid_request',
      code: 'unsupported',
      message: expect.stringContaining('parrot cannot call tools'),
    });
  });
});
