import type { PromptCacheOptions, ReasoningOptions, ToolChoice } from '@x/airframe';
import type { CompletionRequest } from '@x/avionics';
import { defined } from '../../defined.ts';
import { asksNothing } from '../checks.ts';
import type { Asked } from '../protocol.ts';
import { readBody } from '../read.ts';
import { MessageWriter } from './answer.ts';
import { conversationOf } from './messages.ts';
import {
  countTokensSchema,
  messagesSchema,
  TOLD,
  type WireCacheControl,
  type WireMessage,
  type WireRequest,
  type WireThinking,
  type WireToolChoice,
} from './wire.ts';

/**
 * What a client of `/v1/messages` asks. `top_k` becomes a backend parameter of that name, `metadata.user_id` a label of
 * the call; where the client says that anything be cached, the whole prompt is to be.
 * @throws AirframeError (invalid_request) that names each field that is wrong, and its value
 */
export function readMessages(body: unknown): Asked {
  const wire = readBody(messagesSchema, body);
  return {
    model: wire.model ?? '',
    stream: wire.stream === true,
    request: requestOf(wire),
    ignored: ignoredIn(wire),
    answer: facts => new MessageWriter(facts),
  };
}

/**
 * What a client of `/v1/messages/count_tokens` asks: the same but for `max_tokens`.
 * @throws AirframeError (invalid_request), as {@link readMessages}
 */
export function readCountTokens(body: unknown): { model: string; request: CompletionRequest } {
  const wire = readBody(countTokensSchema, body);
  return { model: wire.model ?? '', request: requestOf(wire) };
}

function ignoredIn(wire: WireRequest): string[] {
  return [
    ...TOLD.filter(name => !asksNothing(wire[name])),
    ...(wire.tools?.some(({ strict }) => strict) ? ['tools.strict'] : []),
  ];
}

function requestOf(wire: WireRequest): CompletionRequest {
  const { tools, tool_choice: choice, top_k, output_config, metadata } = wire;
  const format = output_config?.format ?? wire.output_format;
  return {
    messages: conversationOf(wire),
    ...defined({
      tools: tools?.map(({ name, description, input_schema: parameters }) => ({
        name,
        parameters,
        ...(description ? { description } : {}),
      })),
      toolChoice: choice ? toolChoiceOf(choice) : undefined,
      parallelToolCalls:
        choice && choice.type !== 'none' && choice.disable_parallel_tool_use ? false : undefined,
      responseFormat: format ? { type: 'json_schema' as const, schema: format.schema } : undefined,
      reasoning: reasoningOf(wire.thinking ?? undefined, output_config?.effort ?? undefined),
      promptCache: cacheOf(wire),
      serviceTier: wire.service_tier ?? undefined,
      temperature: wire.temperature ?? undefined,
      topP: wire.top_p ?? undefined,
      maxTokens: wire.max_tokens ?? undefined,
      stop: wire.stop_sequences ?? undefined,
      extra: typeof top_k === 'number' ? { top_k } : undefined,
      metadata: metadata?.user_id ? { user_id: metadata.user_id } : undefined,
    }),
  };
}

function toolChoiceOf(choice: WireToolChoice): ToolChoice {
  if (choice.type === 'tool') return { name: choice.name };
  return choice.type === 'any' ? 'required' : choice.type;
}

/** Thinking as the model sees fit has the effort `high` where none is said (docs.claude.com "Effort", 2026). */
function reasoningOf(
  thinking: WireThinking | undefined,
  effort: ReasoningOptions['effort'],
): ReasoningOptions | undefined {
  switch (thinking?.type) {
    case 'enabled':
      return { maxTokens: thinking.budget_tokens, ...defined({ effort }) };
    case 'adaptive':
      return { effort: effort ?? 'high' };
    case 'disabled':
      return { effort: 'none' };
    case undefined:
      return effort && { effort };
  }
}

/** The longest time that is asked for anywhere. */
function cacheOf({ cache_control, system, tools, messages }: WireRequest): PromptCacheOptions | undefined {
  const asked = [{ cache_control }, ...(system ?? []), ...(tools ?? []), ...messages.flatMap(blocksOf)]
    .map(block => ('cache_control' in block ? block.cache_control : undefined))
    .filter((control): control is NonNullable<WireCacheControl> => Boolean(control));
  if (asked.length === 0) return undefined;
  const times = asked.map(({ ttl }) => ttl);
  return defined({ ttl: times.includes('1h') ? '1h' : (times.find(Boolean) ?? undefined) });
}

/** Blocks inside tool results as well. */
function blocksOf({ content }: WireMessage): object[] {
  return content.flatMap((block: object): object[] =>
    'content' in block && Array.isArray(block.content) ? [block, ...block.content] : [block],
  );
}
