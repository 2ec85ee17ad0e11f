import { AirframeError } from '../../errors.ts';
import type {
  InferenceRequest,
  PromptCacheOptions,
  ReasoningOptions,
  ResponseFormat,
  ToolChoice,
  ToolSpec,
} from '../../request.ts';
import type { HttpCall } from '../../transport/exchange.ts';
import { systemOf, turnsOf } from './messages.ts';
import type { AnthropicExtra } from './wire.ts';

/** A request whose `extra` are parameters of Anthropic's Messages API. */
export type AnthropicRequest = InferenceRequest<AnthropicExtra>;

/** What a call takes from the endpoint. */
export interface CallSettings {
  /** Used when the request names none. */
  model: string | undefined;
  headers: Record<string, string>;
  /** Used when the request has no `maxTokens`: the API wants a bound. */
  defaultMaxTokens: number;
}

/** @throws AirframeError (invalid_request) for what the API has no form for */
export function messagesCall(request: AnthropicRequest, settings: CallSettings): HttpCall {
  return { method: 'POST', path: '/v1/messages', headers: settings.headers, body: bodyOf(request, settings) };
}

/** What `count_tokens` takes of a request; it refuses the rest. */
const COUNTED_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'cache_control',
  'user_profile_id',
]);

/** The call that counts the prompt's tokens. */
export function countTokensCall(request: AnthropicRequest, settings: CallSettings): HttpCall {
  const fields = Object.entries(bodyOf(request, settings)).filter(([name]) => COUNTED_FIELDS.has(name));
  return {
    method: 'POST',
    path: '/v1/messages/count_tokens',
    headers: settings.headers,
    body: Object.fromEntries(fields),
  };
}

/** `seed` has no counterpart and is not sent. */
function bodyOf(request: AnthropicRequest, settings: CallSettings): Record<string, unknown> {
  if (request.messages === undefined) throw unsupported('a raw prompt', 'send messages');
  const { messages, extra = {} } = request;
  const model = request.model ?? settings.model;
  if (!model) {
    const remedy = 'set model in the request or at the endpoint';
    throw new AirframeError('invalid_request', 'no model is named', { remedy });
  }
  const { tools: extraTools = [], output_config: extraOutput, ...otherExtra } = extra;
  const tools = [...(request.tools ?? []).map(toWireTool), ...extraTools];
  const maxTokens = extra.max_tokens ?? request.maxTokens ?? settings.defaultMaxTokens;
  const output = defined({
    effort: effortOf(request.reasoning),
    format: formatOf(request.responseFormat),
    ...extraOutput,
  });
  return defined({
    model,
    max_tokens: maxTokens,
    stream: request.stream !== false,
    system: systemOf(messages),
    messages: turnsOf(messages),
    ...(tools.length > 0
      ? { tools, tool_choice: toolChoice(request.toolChoice, request.parallelToolCalls) }
      : {}),
    thinking: extra.thinking ?? thinkingOf(request.reasoning, maxTokens),
    output_config: Object.keys(output).length > 0 ? output : undefined,
    stop_sequences: request.stop,
    // Newer models refuse most values of both: only what the caller says is sent.
    temperature: request.temperature,
    top_p: request.topP,
    cache_control: cacheControl(request.promptCache),
    service_tier: request.serviceTier,
    ...otherExtra,
  });
}

/** The API refuses a schema without `type`. */
function toWireTool({ name, description, parameters }: ToolSpec): object {
  return defined({ name, description, input_schema: { type: 'object', ...parameters } });
}

/** The ban on parallel calls lives in here, and not in `none`. */
function toolChoice(choice: ToolChoice | undefined, parallel: boolean | undefined): object | undefined {
  if (choice === 'none') return { type: 'none' };
  const onlyOne = parallel === false ? { disable_parallel_tool_use: true } : {};
  if (typeof choice === 'object') return { type: 'tool', name: choice.name, ...onlyOne };
  if (choice === 'required') return { type: 'any', ...onlyOne };
  return choice === 'auto' || parallel === false ? { type: 'auto', ...onlyOne } : undefined;
}

function formatOf(format: ResponseFormat | undefined): object | undefined {
  if (format?.type === 'json') {
    throw unsupported('responseFormat json', 'give a schema with responseFormat json_schema');
  }
  return format?.type === 'json_schema' ? { type: 'json_schema', schema: format.schema } : undefined;
}

const MIN_BUDGET = 1024;

/**
 * `effort` alone lets the model decide when to think (models since Opus 4.6). `maxTokens` is the older, fixed budget;
 * `extra.thinking` says it outright.
 */
function thinkingOf(reasoning: ReasoningOptions | undefined, maxTokens: number): object | undefined {
  const { effort, maxTokens: budget } = reasoning ?? {};
  if (effort === 'none') return { type: 'disabled' };
  if (budget === undefined) return effort === undefined ? undefined : { type: 'adaptive' };
  if (budget < MIN_BUDGET || budget >= maxTokens) {
    throw new AirframeError(
      'invalid_request',
      `reasoning.maxTokens is ${budget} and maxTokens ${maxTokens}, but Anthropic takes a thinking budget from ${MIN_BUDGET} up to less than maxTokens`,
      { remedy: 'raise maxTokens, or change reasoning.maxTokens' },
    );
  }
  return { type: 'enabled', budget_tokens: budget };
}

/** `low` is the least there is. */
function effortOf(reasoning: ReasoningOptions | undefined): string | undefined {
  const effort = reasoning?.effort;
  if (effort === 'none') return undefined;
  return effort === 'minimal' ? 'low' : effort;
}

/** At the top level the API itself places the breakpoint; it knows no `key`. */
function cacheControl(cache: PromptCacheOptions | undefined): object | undefined {
  return cache && defined({ type: 'ephemeral', ttl: cache.ttl });
}

function unsupported(what: string, remedy: string): AirframeError {
  return new AirframeError('invalid_request', `the Messages API has no ${what}`, {
    code: 'unsupported',
    remedy,
  });
}

/** Without the fields left unset: the API refuses null for most. */
function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
