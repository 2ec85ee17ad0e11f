import type { LLMResponse } from '@x/avionics';

/**
 * `usage` of Chat Completions and Completions; `cost` is ours, in US dollars, as OpenRouter has it; null: no price is
 * known.
 */
export function openAIUsage({ metadata, completionTokens, costUsd }: LLMResponse) {
  const { usage } = metadata;
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: completionTokens,
    total_tokens: usage.promptTokens + completionTokens,
    // What is undefined is left out of JSON.
    prompt_tokens_details: {
      cached_tokens: usage.cachedTokens ?? 0,
      cache_write_tokens: usage.cacheWriteTokens,
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    cost: metadata.priced ? costUsd : null,
  };
}

/** `finish_reason` as Chat Completions spells it. */
export function openAIFinish({ metadata }: LLMResponse): 'stop' | 'length' | 'tool_calls' | 'content_filter' {
  const { finishReason } = metadata;
  return finishReason === 'length' || finishReason === 'tool_calls' || finishReason === 'content_filter'
    ? finishReason
    : 'stop';
}
