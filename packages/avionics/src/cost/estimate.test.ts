import type { InferenceRequest, Message } from '@x/airframe';
import { describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import { CostCalculator } from './calculator.ts';
import { sizeOfRequest } from './estimate.ts';

const calculator = new CostCalculator({
  prices: {
    openai: {
      flat: { prompt: 1, completion: 10 },
      thinker: { prompt: 1, completion: 10, reasoning: 30 },
      cached: { prompt: 1, completion: 10, cachedPrompt: 0.1, cacheWrite: 1.25, cacheWrite1h: 2 },
      tiered: { prompt: 1, completion: 10, tiers: [{ above: 1_000, prompt: 2, completion: 15 }] },
    },
  },
});

describe('the estimate of a request', () => {
  it('takes counted tokens as they are, and the longest answer allowed', () => {
    expect(calculator.estimateRequest('openai', 'flat', { promptTokens: 2_000, maxTokens: 500 })).toEqual({
      promptTokens: 2_000,
      completionTokens: 500,
      costUsd: 7,
      priced: true,
    });
  });

  it('takes 0.5 tokens a character, 5,000 an image and 4,096 for an answer without a bound', () => {
    const estimate = calculator.estimateRequest('openai', 'flat', { promptChars: 1_001, images: 2 });
    expect(estimate).toMatchObject({ promptTokens: 10_501, completionTokens: 4_096 });
    const { promptTokens } = calculator.estimateRequest('openai', 'gpt-4o-mini', { images: 1 });
    expect(promptTokens).toBe(48_169);
  });

  it.each([
    ['thinker', {}, 1 + 30],
    ['cached', {}, 1.25 + 10],
    ['cached', { cacheTtl: '5m' }, 1.25 + 10],
    ['cached', { cacheTtl: '1h' }, 2 + 10],
    ['tiered', {}, 1 + 10],
    ['tiered', { promptTokens: 1_001 }, 2.002 + 15],
  ] as const)('takes %s at its dearest with %o', (model, size, usd) => {
    const estimate = calculator.estimateRequest('openai', model, {
      promptTokens: 1_000,
      maxTokens: 1_000,
      ...size,
    });
    expect(estimate.costUsd).toBeCloseTo(usd, 9);
  });

  it('is 0 for local models, and for unknown ones, which it tells from them', () => {
    const warn = vi.fn();
    const own = new CostCalculator({ logger: { ...silentLogger, warn } });
    const size = { promptTokens: 10, maxTokens: 10 };
    expect(own.estimateRequest('ollama', 'qwen3', size)).toMatchObject({ costUsd: 0, priced: true });
    expect(own.estimateRequest('openai', 'gpt-99', size)).toMatchObject({ costUsd: 0, priced: false });
    expect(warn).toHaveBeenCalledOnce();
  });

  it('survives figures that make no sense', () => {
    const size = { promptTokens: Number.NaN, promptChars: -5, images: Number.NaN, maxTokens: -1 };
    expect(calculator.estimateRequest('openai', 'flat', size)).toMatchObject({ costUsd: 0, priced: true });
  });
});

describe('the size of a request', () => {
  const user = (content: Message['content']) => ({ role: 'user', content }) as Message;
  const chars = (request: InferenceRequest) => sizeOfRequest(request).promptChars ?? 0;

  it('is that of a raw prompt in bytes', () => {
    expect(sizeOfRequest({ prompt: 'héé', maxTokens: 7 })).toEqual({
      promptChars: 5,
      images: 0,
      maxTokens: 7,
    });
  });

  it('has all that the model reads: texts, thinking, tool calls, tools and the schema', () => {
    const call = { id: 'c1', name: 'look_up', arguments: '{"query":"x"}' };
    const bare = chars({ messages: [user('hi')] });
    const messages: Message[] = [
      { role: 'assistant', content: 'ok', reasoning: [{ text: 'hmm', signature: 's' }], toolCalls: [call] },
      { role: 'tool', toolCallId: 'c1', content: 'found' },
    ];
    const longer = chars({ messages: [user('hi'), ...messages] });
    expect(longer - bare).toBe(
      'ok'.length + 'hmm'.length + call.name.length + call.arguments.length + 5 + 2 * 20,
    );

    const tools = [{ name: 'look_up', description: 'd'.repeat(500), parameters: {} }];
    expect(chars({ messages: [user('hi')], tools }) - bare).toBeGreaterThan(2_500);
    const responseFormat = { type: 'json_schema', schema: { title: 't'.repeat(300) } } as const;
    expect(chars({ messages: [user('hi')], responseFormat }) - bare).toBeGreaterThan(300);
  });

  it('counts images by number and not by their bytes', () => {
    const image = { type: 'image', url: `data:image/png;base64,${'A'.repeat(9_000)}` } as const;
    const size = sizeOfRequest({
      messages: [user([{ type: 'text', text: 'see' }, image, image])],
      promptCache: { ttl: '1h' },
    });
    expect(size).toEqual({ promptChars: 23, images: 2, cacheTtl: '1h' });
  });

  // The tokens as o200k_base and cl100k_base count them, whichever has more.
  it.each([
    ['English', 'The quick brown fox jumps over the lazy dog. '.repeat(100), 1_001],
    ['code', 'for (let i = 0; i < items.length; i++) { total += items[i].price; }\n'.repeat(100), 2_400],
    ['Chinese', '大型语言模型的价格按词元计算。'.repeat(100), 1_500],
    ['Arabic', 'تُحسب تكلفة النموذج اللغوي بعدد الرموز. '.repeat(50), 1_551],
  ])('makes an estimate above the tokens of %s', (_language, prompt, tokens) => {
    const { promptTokens } = calculator.estimateRequest('openai', 'flat', sizeOfRequest({ prompt }));
    expect(promptTokens).toBeGreaterThan(tokens);
    expect(promptTokens).toBeLessThan(2.5 * tokens);
  });
});
