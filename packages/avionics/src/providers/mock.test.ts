import { AirframeError, collect, type InferenceRequest } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { CostCalculator } from '../cost/calculator.ts';
import type { TokenChunk } from './base.ts';
import { MockProvider } from './mock.ts';

const HELLO: InferenceRequest = { messages: [{ role: 'user', content: 'Hello there' }] };

async function chunksOf(stream: AsyncIterable<TokenChunk>): Promise<TokenChunk[]> {
  const chunks: TokenChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

describe('MockProvider', () => {
  it('repeats the prompt when it has no script, the same way each time', async () => {
    const provider = new MockProvider();
    expect(await provider.generate('m', 'Hello there')).toBe('mock answer to: Hello there');
    expect(await provider.generate('m', HELLO.messages ?? '')).toBe('mock answer to: Hello there');
    expect(await provider.healthCheck()).toBe(true);
    expect(await new MockProvider({ healthy: false }).healthCheck()).toBe(false);
  });

  it('streams word by word, and the last chunk alone is final', async () => {
    const provider = new MockProvider({ responses: ['one two  three '] });
    const chunks = await chunksOf(provider.generateStream('m', 'count'));
    expect(chunks.map(chunk => [chunk.text, chunk.isFinal, chunk.tokenCount])).toEqual([
      ['one', false, 1],
      [' two', false, 1],
      ['  three ', false, 1],
      ['', true, 0],
    ]);
    expect(chunks.at(-1)?.metadata).toMatchObject({
      finishReason: 'stop',
      usage: { completionTokens: 3, source: 'reported' },
      costUsd: 0,
      priced: true,
      model: 'mock',
    });
  });

  it('answers by script, the last answer again and again', async () => {
    const error = new AirframeError('overloaded', 'busy');
    const provider = new MockProvider({ responses: [error, 'fine'] });
    await expect(provider.generate('m', 'x')).rejects.toMatchObject({
      category: 'overloaded',
      message: 'busy',
    });
    expect(await provider.generate('m', 'x')).toBe('fine');
    expect(await provider.generate('m', 'x')).toBe('fine');
    expect(provider.requests).toHaveLength(3);
  });

  it('answers by a function of the request', async () => {
    const provider = new MockProvider({ responses: ({ model }, index) => `${model} ${index}` });
    expect(await provider.generate('a', 'x')).toBe('a 0');
    expect(await provider.generate('b', 'x')).toBe('b 1');
  });

  it('keeps the stream contract with reasoning, tool calls and an end', async () => {
    const provider = new MockProvider({
      responses: [
        { reasoning: 'hm', text: 'ok', toolCalls: [{ name: 'add', arguments: '{"a":1}' }], model: 'm-1' },
      ],
    });
    const result = await collect(provider.infer(HELLO));
    expect(result).toMatchObject({
      text: 'ok',
      reasoning: 'hm',
      finishReason: 'tool_calls',
      model: 'm-1',
      usage: { completionTokens: 3, source: 'reported' },
    });
    expect(result.toolCalls).toEqual([{ id: 'call_0', name: 'add', arguments: '{"a":1}', input: { a: 1 } }]);
  });

  it('ends at maxTokens, and says so', async () => {
    const result = await collect(
      new MockProvider({ responses: ['a b c'] }).infer({ ...HELLO, maxTokens: 2 }),
    );
    expect(result).toMatchObject({ text: 'a b', finishReason: 'length' });
  });

  it('hands over what came before an error, then throws it', async () => {
    const error = new AirframeError('backend', 'out of memory');
    const provider = new MockProvider({
      responses: [
        { chunks: ['a', 'b'], error },
        { chunks: ['c'], cut: true },
      ],
    });
    const seen: string[] = [];
    const read = async () => {
      for await (const { text, isFinal } of provider.generateStream('m', 'x'))
        seen.push(isFinal ? 'final' : text);
    };
    await expect(read()).rejects.toMatchObject({ category: 'backend', message: 'out of memory' });
    await expect(read()).rejects.toMatchObject({ category: 'connection', code: 'truncated' });
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(provider.getStats()).toMatchObject({ requests: 2, errors: 2, completionTokens: 3 });
  });

  it('counts what came when its reader leaves, as an estimate, and what it cost', async () => {
    const costCalculator = new CostCalculator({ prices: { sold: { m: { prompt: 1, completion: 1_000 } } } });
    const options = { name: 'sold', model: 'm', costCalculator, responses: ['a b c d'] };
    const provider = new MockProvider(options);
    let chunks = 0;
    for await (const _ of provider.generateStream('m', 'x')) if (++chunks === 3) break;
    expect(provider.getStats()).toMatchObject({
      requests: 1,
      aborted: 1,
      completionTokens: 3,
      estimatedTokens: 3,
      costUsd: 3,
    });
    await provider.generate('m', 'x');
    expect(provider.getStats()).toMatchObject({ completionTokens: 7, estimatedTokens: 3 });
  });

  it('has token counts that sum up to the usage, even with more chunks than tokens', async () => {
    const usage = { promptTokens: 1, completionTokens: 2 };
    const provider = new MockProvider({ responses: [{ chunks: ['a', 'b', 'c'], usage }] });
    let sum = 0;
    for await (const { tokenCount } of provider.generateStream('', 'x')) sum += tokenCount;
    expect(sum).toBe(2);
  });

  it('stops in the middle of a delay when it is told to', async () => {
    const provider = new MockProvider({ responses: [{ delayMs: 60_000, text: 'late' }] });
    const signal = AbortSignal.timeout(10);
    await expect(provider.generate('m', 'x', { signal })).rejects.toMatchObject({ category: 'aborted' });
    const timeouts = { headersMs: 10 };
    await expect(provider.generate('m', 'x', { timeouts })).rejects.toMatchObject({ category: 'timeout' });
    expect(provider.getStats()).toMatchObject({ requests: 2, errors: 1, aborted: 1 });
  });
});
