import type { FinishReason, ToolCall } from '@x/airframe';
import type { LLMResponse } from '@x/avionics';
import type { AnswerFacts } from '../protocol.ts';
import type { WireAnswer, WireAnswerBlock, WireUsage } from './wire.ts';

/** Which stop sequence it was is not known: it counts as an end like any other. */
const STOP_REASONS: Readonly<Record<FinishReason, WireAnswer['stop_reason']>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
  // An answer that broke off is an error, and has no response.
  aborted: null,
  truncated: null,
  stalled: null,
  error: null,
};

export function stopReasonOf({ toolCalls, metadata }: LLMResponse): WireAnswer['stop_reason'] {
  const { finishReason } = metadata;
  return finishReason === 'stop' && toolCalls.length > 0 ? 'tool_use' : STOP_REASONS[finishReason];
}

/** The three parts of the prompt exclude each other. */
export function usageOf({ promptTokens, completionTokens, costUsd, metadata }: LLMResponse): WireUsage {
  const { cachedTokens = 0, cacheWriteTokens = 0, cacheWrite1hTokens, reasoningTokens } = metadata.usage;
  return {
    input_tokens: Math.max(0, promptTokens - cachedTokens - cacheWriteTokens),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedTokens,
    output_tokens: completionTokens,
    ...(reasoningTokens !== undefined && { output_tokens_details: { thinking_tokens: reasoningTokens } }),
    ...(cacheWrite1hTokens !== undefined && {
      cache_creation: {
        ephemeral_5m_input_tokens: Math.max(0, cacheWriteTokens - cacheWrite1hTokens),
        ephemeral_1h_input_tokens: cacheWrite1hTokens,
      },
    }),
    cost: metadata.priced ? costUsd : null,
  };
}

export function answerOf(response: LLMResponse, { requestId, model }: AnswerFacts): WireAnswer {
  return {
    id: `msg_${requestId}`,
    type: 'message',
    role: 'assistant',
    model: response.model === 'default' ? model : response.model,
    content: blocksOf(response),
    stop_reason: stopReasonOf(response),
    stop_sequence: null,
    usage: usageOf(response),
  };
}

function blocksOf({ text, toolCalls, metadata }: LLMResponse): WireAnswerBlock[] {
  const thinking = (metadata.message?.reasoning ?? []).map(
    ({ text, signature = '' }): WireAnswerBlock =>
      text === ''
        ? { type: 'redacted_thinking', data: signature }
        : { type: 'thinking', thinking: text, signature },
  );
  return [
    ...thinking,
    ...(text === '' ? [] : [{ type: 'text' as const, text }]),
    ...toolCalls.map(call => ({
      type: 'tool_use' as const,
      id: call.id,
      name: call.name,
      input: inputOf(call),
    })),
  ];
}

/**
 * The arguments as the model wrote them. What is no JSON object stands in one under the name that Anthropic advises for
 * such text (docs.claude.com "Fine-grained tool streaming", 2026): it fits no tool, and nothing of it is lost.
 */
function inputOf({ arguments: text }: ToolCall): Record<string, unknown> {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    input = undefined;
  }
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input);
  return isObject ? (input as Record<string, unknown>) : { INVALID_JSON: text };
}
