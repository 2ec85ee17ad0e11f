import { describe, expect, it } from 'vitest';
import { Reply } from '../../assemble/reply.ts';
import type { Usage } from '../../events.ts';
import { createReader } from './stream.ts';
import type { WireUsage } from './wire.ts';

const chunk = (delta: object) => ({ choices: [{ index: 0, delta, finish_reason: null }] });
const stop = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };

/** The usage that `done` tells after these chunks. */
function usageAfter(...chunks: object[]): Usage {
  const reply = new Reply('chat');
  const reader = createReader(reply);
  for (const one of chunks) reader.event(JSON.stringify(one), undefined);
  reply.end();
  for (let event = reply.events.take(); event; event = reply.events.take()) {
    if (event.type === 'done') return event.usage;
  }
  throw new Error('no done event');
}

describe('usage', () => {
  const counted = { prompt_tokens: 9, completion_tokens: 2 };
  const usageOf = (usage: WireUsage) => usageAfter({ ...stop, usage });

  it.each([
    ['an extra chunk without choices', [stop, { choices: [], usage: counted }]],
    ['with finish in one chunk (Mistral, Together)', [{ ...stop, usage: counted }]],
    ['x_groq.usage', [{ ...stop, x_groq: { usage: counted } }]],
    ['null on every chunk but the last', [{ ...stop, usage: null }, { usage: counted }]],
    [
      'running totals: the last wins',
      [
        { ...chunk({}), usage: { ...counted, completion_tokens: 1 } },
        { ...stop, usage: counted },
      ],
    ],
    [
      'zeros on other chunks (Ollama)',
      [{ ...stop, usage: counted }, { usage: { prompt_tokens: 0, completion_tokens: 0 } }],
    ],
  ])('%s', (_place, chunks) => {
    expect(usageAfter(...chunks)).toMatchObject({
      promptTokens: 9,
      completionTokens: 2,
      totalTokens: 11,
      source: 'reported',
    });
  });

  it('of each choice apart (llama-server with n above 1): the answers add up, the prompt counts once', () => {
    const finish = (index: number) => ({ choices: [{ index, delta: {}, finish_reason: 'stop' }] });
    const ofOne = (completion_tokens: number) => ({
      choices: [],
      usage: { prompt_tokens: 9, completion_tokens },
      timings: { predicted_n: completion_tokens },
    });
    expect(usageAfter(finish(1), ofOne(2), finish(0), ofOne(3))).toMatchObject({
      promptTokens: 9,
      completionTokens: 5,
      totalTokens: 14,
    });
  });

  it('on every chunk without choices (vLLM, forced) is told once', () => {
    const again = { choices: [], usage: counted };
    expect(usageAfter(stop, again, again)).toMatchObject({ completionTokens: 2 });
  });

  it.each([
    ['prompt_tokens_details.cached_tokens', { prompt_tokens_details: { cached_tokens: 4 } }],
    [
      'prompt_cache_hit_tokens, which with prompt_cache_miss_tokens is the prompt (DeepSeek)',
      { prompt_cache_hit_tokens: 4, prompt_cache_miss_tokens: 5 },
    ],
    ['num_cached_tokens (Mistral)', { num_cached_tokens: 4 }],
    ['prompt_token_details (Mistral)', { prompt_token_details: { cached_tokens: 4 } }],
  ])('cached tokens from %s', (_field, more) => {
    expect(usageOf({ ...counted, ...more })).toMatchObject({ promptTokens: 9, cachedTokens: 4 });
  });

  it('cache_write_tokens and reasoning_tokens; absent is not 0', () => {
    const details = {
      prompt_tokens_details: { cache_write_tokens: 5 },
      completion_tokens_details: { reasoning_tokens: 1 },
    };
    expect(usageOf({ ...counted, ...details })).toMatchObject({
      cacheWriteTokens: 5,
      reasoningTokens: 1,
    });
    const none = { prompt_tokens_details: { cached_tokens: null }, completion_tokens_details: null };
    expect(Object.keys(usageOf({ ...counted, ...none }))).toEqual([
      'promptTokens',
      'completionTokens',
      'totalTokens',
      'source',
    ]);
  });

  it('reasoning counted on top of the completion (xAI) is made a subset of it', () => {
    const apart = { ...counted, total_tokens: 18, completion_tokens_details: { reasoning_tokens: 7 } };
    expect(usageOf(apart)).toMatchObject({ completionTokens: 9, totalTokens: 18, reasoningTokens: 7 });
  });
});
