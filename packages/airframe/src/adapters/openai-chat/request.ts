import { AirframeError } from '../../errors.ts';
import type { AssistantMessage, ReasoningPart, ToolCall } from '../../events.ts';
import type { InferenceRequest, Message, UserMessage } from '../../request.ts';
import type { HttpCall } from '../../transport/exchange.ts';
import type { OptionalField, Profile } from './profiles.ts';
import { callExtrasOf, detailOf } from './signatures.ts';
import type { OpenAIChatExtra } from './wire.ts';

export type OpenAIChatRequest = InferenceRequest<OpenAIChatExtra>;

type Fields = Record<string, unknown>;

/**
 * The call for a request: a chat, or a raw prompt where the server takes one.
 * @param closesAfterStreams the server ends a connection after a stream without having said so
 */
export function inferenceCall(
  request: OpenAIChatRequest,
  profile: Profile,
  model: string | undefined,
  headers: Record<string, string>,
  closesAfterStreams = false,
): HttpCall & { body: Fields } {
  const isChat = request.messages !== undefined;
  if (!isChat && !profile.rawPrompt) {
    throw new AirframeError('invalid_request', `the backend has no route for a raw prompt`, {
      remedy: 'send messages instead of prompt',
    });
  }
  const streaming = request.stream !== false;
  const fields = {
    model,
    stream: streaming,
    stream_options:
      streaming && profile.sends.includes('stream_options') ? { include_usage: true } : undefined,
    temperature: request.temperature,
    top_p: request.topP,
    stop: request.stop,
    [profile.seed]: request.seed,
    // The older route knows the older name only.
    [isChat ? profile.tokenLimit : 'max_tokens']: request.maxTokens,
    ...(isChat ? chatFields(request, profile) : { prompt: request.prompt }),
    ...request.extra,
  };
  const path = isChat ? '/chat/completions' : '/completions';
  const keepAlive = !(streaming && closesAfterStreams);
  return { method: 'POST', path, headers, keepAlive, body: defined(fields) };
}

function chatFields(request: OpenAIChatRequest, profile: Profile): Fields {
  const optional = (field: OptionalField, value: unknown) =>
    profile.sends.includes(field) ? value : undefined;
  return {
    messages: wireMessages(request, profile),
    ...toolFields(request, profile),
    response_format: responseFormat(request, profile),
    ...reasoningFields(request, profile),
    service_tier: optional('service_tier', request.serviceTier),
    prompt_cache_key: optional('prompt_cache_key', request.promptCache?.key),
  };
}

/** Where `tool_choice` cannot name a function, that one alone is offered. */
function toolFields(request: OpenAIChatRequest, { toolChoice, sends }: Profile): Fields {
  const { tools = [], toolChoice: choice, parallelToolCalls } = request;
  if (tools.length === 0 || (choice === 'none' && toolChoice.none === 'ignored')) return {};
  const forced = typeof choice === 'object' ? choice.name : undefined;
  const named = tools.filter(tool => tool.name === forced);
  if (forced !== undefined && named.length === 0) {
    const names = tools.map(tool => tool.name).join(', ');
    throw new AirframeError(
      'invalid_request',
      `toolChoice names ${forced}, which is not among tools: ${names}`,
    );
  }
  const alone = forced !== undefined && toolChoice.named === 'only';
  const namedChoice = alone ? toolChoice.required : { type: 'function', function: { name: forced } };
  const wordChoice = choice === 'required' ? toolChoice.required : choice;
  return {
    tools: (alone ? named : tools).map(tool => ({ type: 'function', function: tool })),
    tool_choice: forced === undefined ? wordChoice : namedChoice,
    parallel_tool_calls: sends.includes('parallel_tool_calls') ? parallelToolCalls : undefined,
  };
}

function responseFormat(
  { responseFormat: format }: OpenAIChatRequest,
  { sends }: Profile,
): object | undefined {
  if (format?.type === 'json') return { type: 'json_object' };
  if (format?.type !== 'json_schema') return undefined;
  const strict = sends.includes('strict') ? format.strict : undefined;
  const schema = defined({ name: format.name ?? 'answer', schema: format.schema, strict });
  return { type: 'json_schema', json_schema: schema };
}

function reasoningFields({ reasoning }: OpenAIChatRequest, profile: Profile): Fields {
  const { effort, maxTokens } = reasoning ?? {};
  switch (profile.reasoning) {
    case 'reasoning_effort':
      return { reasoning_effort: effort };
    case 'openrouter': {
      // It takes one of the two; the figure says more.
      const asked = maxTokens === undefined ? { effort } : { max_tokens: maxTokens };
      return effort === undefined && maxTokens === undefined ? {} : { reasoning: asked };
    }
    case 'deepseek':
      return effort === 'none' ? { thinking: { type: 'disabled' } } : { reasoning_effort: effort };
  }
}

function wireMessages(request: OpenAIChatRequest, profile: Profile): object[] {
  const messages = request.messages ?? [];
  const { when } = profile.reasoningHistory;
  const hasTools =
    (request.tools?.length ?? 0) > 0 || messages.some(message => 'toolCalls' in message && message.toolCalls);
  const withReasoning = when === 'always' || (when === 'with_tools' && hasTools);
  return messages.map(message => wireMessage(message, profile, withReasoning));
}

function wireMessage(message: Message, profile: Profile, withReasoning: boolean): object {
  switch (message.role) {
    case 'system':
      return message;
    case 'user':
      return userMessage(message, profile);
    case 'tool':
      return {
        role: 'tool',
        tool_call_id: callId(message.toolCallId, profile),
        content: message.content,
      };
    case 'assistant':
      return defined({
        role: 'assistant',
        content: message.content,
        ...(withReasoning ? reasoningHistory(message, profile) : {}),
        tool_calls: message.toolCalls?.map(call => wireToolCall(call, profile)),
      });
  }
}

function userMessage(message: UserMessage, { images }: Profile): object {
  if (typeof message.content === 'string') return message;
  const content = message.content.map(part => {
    if (part.type === 'text') return part;
    if (images === 'data_url' && !part.url.startsWith('data:')) {
      throw new AirframeError(
        'invalid_request',
        `the backend fetches no images (got ${part.url.slice(0, 60)})`,
        {
          remedy: 'send the image as a data: URL',
        },
      );
    }
    return { type: 'image_url', image_url: { url: part.url } };
  });
  return { role: 'user', content };
}

/** Arguments go back as text also to servers that sent an object: Ollama Cloud answers 400 to an object. */
function wireToolCall(call: ToolCall, profile: Profile): object {
  return {
    id: callId(call.id, profile),
    type: 'function',
    function: { name: call.name, arguments: call.arguments },
    ...(profile.toolCallExtras ? callExtrasOf(call.signature) : {}),
  };
}

/** Mistral refuses any other form; calls and results keep meeting because the same id always gives the same one. */
function callId(id: string, { toolCallIds }: Profile): string {
  if (toolCallIds === 'any' || /^[A-Za-z0-9]{9}$/.test(id)) return id;
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(id).digest('hex').slice(0, 9);
}

function reasoningHistory(message: AssistantMessage, { reasoningHistory: form }: Profile): Fields {
  const parts = message.reasoning ?? [];
  const text = parts.map(part => part.text).join('');
  if (form.field === 'reasoning_details') {
    const signed = parts.some(part => detailOf(part.signature));
    return signed ? { reasoning_details: parts.flatMap(wireDetails) } : { reasoning: text || undefined };
  }
  const required = form.required && message.toolCalls !== undefined;
  return { [form.field]: text || (required ? '' : undefined) };
}

function wireDetails({ text, signature }: ReasoningPart): object[] {
  const detail = detailOf(signature);
  const said = text === '' ? [] : [{ type: 'reasoning.text', text }];
  if (!detail) return said;
  if (detail.type === 'reasoning.text') return [{ ...detail, text }];
  // A summary goes ahead of the encrypted thinking that it sums up.
  return text === '' ? [detail] : [{ type: 'reasoning.summary', summary: text }, detail];
}

/** Without the fields left unset: servers differ in what they make of null. */
function defined(fields: Fields): Fields {
  const kept: Fields = {};
  for (const name in fields) if (fields[name] !== undefined) kept[name] = fields[name];
  return kept;
}
