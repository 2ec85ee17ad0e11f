import type { LLMResponse } from '@x/avionics';
import type { AnswerFacts } from '../protocol.ts';
import { callItem, callStatus, itemId, messageItem, reasoningItem, type ThinkingForm } from './items.ts';
import type { WireItem, WireResponse, WireUsage } from './wire.ts';

/** What an answer knows at its end. */
export type End = Pick<WireResponse, 'status' | 'incomplete_details' | 'model' | 'usage'>;

export function endOf(response: LLMResponse, { model }: AnswerFacts): End {
  return {
    ...howItEnded(response),
    model: response.model === 'default' ? model : response.model,
    usage: usageOf(response),
  };
}

function howItEnded({ metadata }: LLMResponse): Pick<End, 'status' | 'incomplete_details'> {
  switch (metadata.finishReason) {
    case 'length':
      return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
    case 'content_filter':
      return { status: 'incomplete', incomplete_details: { reason: 'content_filter' } };
    case 'stop':
    case 'tool_calls':
      return { status: 'completed', incomplete_details: null };
    default:
      // An answer that broke off is an error, and has no response.
      return { status: 'failed', incomplete_details: null };
  }
}

function usageOf({ promptTokens, completionTokens, costUsd, metadata }: LLMResponse): WireUsage {
  const { cachedTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = metadata.usage;
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: cacheWriteTokens },
    output_tokens: completionTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: promptTokens + completionTokens,
    cost: metadata.priced ? costUsd : null,
  };
}

/** Thinking, text and calls as items, in this order. */
export function outputOf(response: LLMResponse, facts: AnswerFacts, form: ThinkingForm): WireItem[] {
  const { text, toolCalls, metadata } = response;
  const items: WireItem[] = [];
  const nextId = (type: WireItem['type']) => itemId(type, facts, items.length);
  for (const part of metadata.message?.reasoning ?? []) {
    items.push(reasoningItem(nextId('reasoning'), part, form));
  }
  if (text !== '') {
    const isWhole = howItEnded(response).status === 'completed';
    items.push(messageItem(nextId('message'), text, isWhole ? 'completed' : 'incomplete'));
  }
  for (const call of toolCalls) items.push(callItem(nextId('function_call'), call, callStatus(call)));
  return items;
}
