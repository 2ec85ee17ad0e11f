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

  it('embeds the same way each time, each text its own way, at any length', async () => {
    const provider = new MockProvider();
    const { embeddings, usage, model } = await provider.embed({ input: ['one text', 'another'] });
    expect(embeddings[0]?.slice(0, 3).map(number => number.toFixed(4))).toEqual([
      '0.4551',
      '-0.3944',
      '0.0701',
    ]);
    expect(embeddings[1]).not.toEqual(embeddings[0]);
    expect(Math.hypot(...(embeddings[0] ?? []))).toBeCloseTo(1, 12);
    expect({ usage, model }).toMatchObject({ usage: { promptTokens: 4, source: 'reported' }, model: 'mock' });
    const again = await new MockProvider().embed({ input: 'one text' });
    expect(again.embeddings).toEqual([embeddings[0]]);
    const long = await provider.embed({ input: 'x', dimensions: 1_536 });
    expect(long.embeddings[0]).toHaveLength(1_536);
    expect(provider.getStats()).toMatchObject({ requests: 2, promptTokens: 5, costUsd: 0 });
  });

  it('embeds by script, which may fail', async () => {
    const embeddings = (text: string) => {
      if (text === 'secret') throw new AirframeError('content_filter', 'not that');
      return [text.length];
    };
    const provider = new MockProvider({ embeddings });
    expect((await provider.embed({ input: ['a', 'bc'] })).embeddings).toEqual([[1], [2]]);
    await expect(provider.embed({ input: 'secret' })).rejects.toMatchObject({ category: 'content_filter' });
    expect(provider.getStats()).toMatchObject({ requests: 2, errors: 1 });
  });

  it('counts the tokens of a prompt as its usage will, and lists its model', async () => {
    const provider = new MockProvider({ model: 'm-1' });
    const { tokens, exact } = await provider.countTokens(HELLO);
    const { usage } = await collect(provider.infer(HELLO));
    expect([tokens, exact]).toEqual([usage.promptTokens, true]);
    expect(await provider.listModels()).toEqual([{ id: 'm-1' }]);
  });

  it('waits where the script says, and cuts where it says', async () => {
    const delays = { delayMs: 1, chunkDelayMs: 1 };
    const provider = new MockProvider({
      responses: [{ ...delays, chunks: ['a b', ' c'], usage: { cachedTokens: 2 } }],
    });
    const { text, usage, timings } = await collect(provider.infer(HELLO));
    expect(text).toBe('a b c');
    expect(usage).toMatchObject({ completionTokens: 2, cachedTokens: 2 });
    expect(timings.firstTokenMs).toBeLessThan(timings.totalMs);
  });
});
