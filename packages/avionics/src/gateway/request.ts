import {
  AirframeError,
  type InferenceRequest,
  type Message,
  resolveTimeouts,
  type Timeouts,
} from '@x/airframe';
import type { RequestDefaults } from '../providers/adapter-provider.ts';
import type { LLMProvider } from '../providers/base.ts';
import type { Schema, SchemaOutput } from './schema.ts';
import type { GatewayTool, ToolCallOf } from './tools.ts';

/**
 * What happens when an answer breaks off that has begun: `fail` ends the call with the error; `continue` has another
 * provider go on where the text stopped; `restart` has it answer anew. Both show a seam.
 */
export type MidStreamPolicy = 'fail' | 'continue' | 'restart';

/** Facts of the caller's own; they come back in the response. */
export type RequestMetadata = Readonly<Record<string, string | number | boolean>>;

/** What a {@link CompletionRequest} may say beside its prompt, tools and schema. */
export interface CompletionOptions
  extends Partial<
    Pick<
      InferenceRequest,
      | 'toolChoice'
      | 'parallelToolCalls'
      | 'responseFormat'
      | 'reasoning'
      | 'promptCache'
      | 'serviceTier'
      | 'temperature'
      | 'topP'
      | 'maxTokens'
      | 'stop'
      | 'seed'
      | 'extra'
    >
  > {
  /** Instructions in front of the conversation. */
  system?: string;
  /** Model of the first provider, or an alias; a fallback provider uses its own. Default: the agent's, else DEFAULT_MODEL. */
  model?: string;
  /** Who asks; chooses settings and stands in results. Default `unknown`. */
  agentName?: string;
  /** The caller's key, where budgets go by it. Never sent anywhere. */
  key?: string;
  /** Labels for budgets. */
  tags?: readonly string[];
  /** With nodes: only those that have all of these. */
  nodeTags?: readonly string[];
  /** Comes back as `response.metadata.request`. */
  metadata?: RequestMetadata;
  /** Functions the model may call. */
  tools?: readonly GatewayTool[];
  /** The answer is to be an object of this form; it comes as `response.object`. Instead of `responseFormat`. */
  schema?: Schema;
  /** Over the gateway's own. */
  midStream?: MidStreamPolicy;
  /** What `completeStream` gives: the text alone, or thinking and tool calls as well, as they come. Default `text`. */
  output?: 'text' | 'all';
  /** false: neither answered from the cache nor kept in it. Default: true where the gateway has a cache. */
  cache?: boolean;
  /** Id of the call in logs, errors and results. Default: a new one. */
  requestId?: string;
  /** Sent to providers with every request of the call. */
  headers?: Readonly<Record<string, string>>;
  /** Ends the call. */
  signal?: AbortSignal;
  /** Milliseconds for the whole call, all providers together; the same as `timeouts.totalMs`. */
  deadlineMs?: number;
  /** Deadlines over the provider's own, in milliseconds; `totalMs` is for the whole call, all providers together. */
  timeouts?: Timeouts;
}

/**
 * One call of the gateway: a user's words in `prompt`, or a conversation in `messages`, or text that is to be gone on
 * with in `rawPrompt`: without the model's template, or as a user's words where a backend knows no other way.
 */
export type CompletionRequest = CompletionOptions &
  (
    | { prompt: string; messages?: never; rawPrompt?: never }
    | { messages: Message[]; prompt?: never; rawPrompt?: never }
    | { rawPrompt: string; prompt?: never; messages?: never }
  );

/** What `response.object` is, going by the request. */
export type ObjectOf<Request> = Request extends { schema: infer S } ? SchemaOutput<S> : undefined;

/** What `response.toolCalls` holds, going by the request. */
export type CallsOf<Request> = Request extends { tools: infer Tools extends readonly GatewayTool[] }
  ? ToolCallOf<Tools>
  : ToolCallOf<readonly GatewayTool[]>;

/**
 * The request that goes to providers, but for model, tools and schema.
 * @throws AirframeError (invalid_request) when it is not clear what is asked
 */
export function inferenceRequestOf(request: CompletionRequest): InferenceRequest {
  const { toolChoice, parallelToolCalls, responseFormat, reasoning, promptCache, serviceTier } = request;
  const { temperature, topP, maxTokens, stop, seed, extra } = request;
  if (request.schema && responseFormat) {
    throw new AirframeError('invalid_request', 'give either schema or responseFormat, not both');
  }
  const wanted: InferenceRequest =
    request.rawPrompt === undefined ? { messages: messagesOf(request) } : rawPromptOf(request);
  if (toolChoice !== undefined) wanted.toolChoice = toolChoice;
  if (parallelToolCalls !== undefined) wanted.parallelToolCalls = parallelToolCalls;
  if (responseFormat !== undefined) wanted.responseFormat = responseFormat;
  if (reasoning !== undefined) wanted.reasoning = reasoning;
  if (promptCache !== undefined) wanted.promptCache = promptCache;
  if (serviceTier !== undefined) wanted.serviceTier = serviceTier;
  if (temperature !== undefined) wanted.temperature = temperature;
  if (topP !== undefined) wanted.topP = topP;
  if (maxTokens !== undefined) wanted.maxTokens = maxTokens;
  if (stop !== undefined) wanted.stop = stop;
  if (seed !== undefined) wanted.seed = seed;
  if (extra !== undefined) wanted.extra = extra;
  return wanted;
}

/**
 * A request with the defaults of an alias where it says nothing, backend parameters one by one. Here and below not by
 * spread: what is added to such a copy gives each one a hidden class of its own in V8, and whoever reads it is slow.
 */
export function withDefaults(
  request: InferenceRequest,
  defaults: RequestDefaults | undefined,
): InferenceRequest {
  const wanted: InferenceRequest = Object.assign({}, defaults, request);
  if (defaults?.extra) wanted.extra = { ...defaults.extra, ...request.extra };
  return wanted;
}

/** The request as this provider gets it. @throws as {@link LLMProvider.prepare} does */
export function preparedFor(provider: LLMProvider, request: InferenceRequest): InferenceRequest {
  if (request.prompt === undefined || provider.supportsRawPrompt) return provider.prepare(request);
  const { prompt, ...rest } = request;
  return provider.prepare({ ...rest, messages: [{ role: 'user', content: prompt }] });
}

/** The request for one destination: with its defaults and its model. */
export function requestFor(
  request: InferenceRequest,
  model: string | undefined,
  defaults: RequestDefaults | undefined,
): InferenceRequest {
  if (model === undefined && defaults === undefined) return request;
  const wanted = defaults ? withDefaults(request, defaults) : Object.assign({}, request);
  if (model !== undefined) wanted.model = model;
  return wanted;
}

/** @throws AirframeError (invalid_request) when both ways of saying it are used, or no clock can keep it */
export function timeoutsOf({
  deadlineMs,
  timeouts,
}: Pick<CompletionRequest, 'deadlineMs' | 'timeouts'>): Timeouts | undefined {
  if (deadlineMs !== undefined && timeouts?.totalMs !== undefined) {
    throw new AirframeError('invalid_request', 'give either deadlineMs or timeouts.totalMs, not both');
  }
  if (deadlineMs !== undefined && !(deadlineMs > 0)) {
    throw new AirframeError('invalid_request', `deadlineMs is ${deadlineMs}; give milliseconds above 0`);
  }
  const said = deadlineMs === undefined ? timeouts : { ...timeouts, totalMs: deadlineMs };
  // Checked here, for clocks of the gateway's own go by it before an adapter sees it.
  if (said) resolveTimeouts(said);
  return said;
}

function rawPromptOf({ rawPrompt = '', prompt, messages, system }: CompletionRequest): { prompt: string } {
  if (prompt === undefined && messages === undefined && system === undefined) return { prompt: rawPrompt };
  throw new AirframeError(
    'invalid_request',
    'rawPrompt is all that is asked; give no prompt, messages or system',
  );
}

function messagesOf({ prompt, messages, system }: CompletionRequest): Message[] {
  if ((prompt === undefined) === (messages === undefined)) {
    throw new AirframeError('invalid_request', 'give either prompt or messages to complete(), and not both');
  }
  const conversation: Message[] = messages ?? [{ role: 'user', content: prompt ?? '' }];
  if (system === undefined) return conversation;
  if (conversation[0]?.role === 'system') {
    throw new AirframeError(
      'invalid_request',
      'give the instructions either in system or as the first message, not in both',
    );
  }
  return [{ role: 'system', content: system }, ...conversation];
}
