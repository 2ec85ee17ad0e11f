import { AirframeError } from '../../errors.ts';
import type { InferenceRequest, Message, ToolChoice, ToolSpec } from '../../request.ts';
import type { HttpCall } from '../../transport/exchange.ts';
import type { LlamaServerExtra } from './wire.ts';

export type LlamaServerRequest = InferenceRequest<LlamaServerExtra>;

/** `native`: `/completion`, behind `/apply-template` for a chat. `openai`: `/v1/chat/completions`, `/v1/completions`. */
export type ApiType = 'native' | 'openai';

/** The routes that answer a request; each has its own wire format. */
export type Route = 'completion' | 'chat' | 'text';

const PATHS: Record<Route, string> = {
  completion: '/completion',
  chat: '/v1/chat/completions',
  text: '/v1/completions',
};

/** Only the chat route parses tool calls and takes images: such a request goes there in both API types. */
export function routeOf(request: LlamaServerRequest, apiType: ApiType): Route {
  if (request.messages === undefined) return apiType === 'native' ? 'completion' : 'text';
  const hasImages = request.messages.some(message => Array.isArray(message.content));
  const needsChat = hasImages || (request.tools?.length ?? 0) > 0;
  return apiType === 'native' && !needsChat ? 'completion' : 'chat';
}

/** Parameters of the template, not of the sampling. */
const TEMPLATE_FIELDS = [
  'chat_template_kwargs',
  'reasoning_format',
  'reasoning_effort',
  'add_generation_prompt',
  'continue_final_message',
] as const;

/** The call that makes the prompt text of a chat, through the model's own template. A router chooses by `model`. */
export function templateCall(
  request: LlamaServerRequest,
  model: string | undefined,
  headers: Record<string, string>,
): HttpCall {
  const { extra = {} } = request;
  const fields = { reasoning_effort: request.reasoning?.effort, ...pick(extra, TEMPLATE_FIELDS) };
  const messages = (request.messages ?? []).map(toWireMessage);
  return { method: 'POST', path: '/apply-template', headers, body: defined({ model, messages, ...fields }) };
}

/** @param prompt the text for the routes that take one */
export function inferenceCall(
  request: LlamaServerRequest,
  route: Route,
  prompt: string | undefined,
  model: string | undefined,
  headers: Record<string, string>,
): HttpCall {
  const streaming = request.stream !== false;
  const common = {
    model,
    stream: streaming,
    temperature: request.temperature,
    top_p: request.topP,
    stop: request.stop,
    seed: request.seed,
  };
  const perRoute =
    route === 'completion' ? nativeFields(request, prompt) : openaiFields(request, route, prompt);
  return {
    method: 'POST',
    path: PATHS[route],
    headers,
    // It closes the connection behind a stream without having said so: a call sent on it meanwhile would be lost.
    // (Seen with v0.5.0.)
    keepAlive: !streaming,
    body: defined({ ...common, ...perRoute, ...templateFree(request.extra, route) }),
  };
}

/**
 * The call that counts the prompt's tokens, of the very prompt that {@link inferenceCall} sends on this route. The
 * chat's route for it makes the prompt as the chat itself does, tools and images included.
 */
export function countTokensCall(
  request: LlamaServerRequest,
  route: Route,
  model: string | undefined,
  headers: Record<string, string>,
): HttpCall {
  if (request.prompt !== undefined) {
    // The routes for text add the special tokens, `/tokenize` only when told to.
    const body = defined({ model, content: request.prompt, add_special: true });
    return { method: 'POST', path: '/tokenize', headers, body };
  }
  const { body } =
    route === 'chat'
      ? inferenceCall(request, route, undefined, model, headers)
      : templateCall(request, model, headers);
  return { method: 'POST', path: `${PATHS.chat}/input_tokens`, headers, body };
}

function nativeFields(request: LlamaServerRequest, prompt: string | undefined): Record<string, unknown> {
  return {
    prompt,
    n_predict: request.maxTokens,
    json_schema: schemaOf(request),
  };
}

function openaiFields(
  request: LlamaServerRequest,
  route: Route,
  prompt: string | undefined,
): Record<string, unknown> {
  const streaming = request.stream !== false;
  const fields = {
    max_tokens: request.maxTokens,
    stream_options: streaming ? { include_usage: true } : undefined,
    // So that usage is the server's own figure also when the stream is cut: ~300 bytes an event.
    timings_per_token: streaming || undefined,
  };
  if (route === 'text') return { ...fields, prompt, json_schema: schemaOf(request) };
  return {
    ...fields,
    messages: (request.messages ?? []).map(toWireMessage),
    ...toolFields(request.tools ?? [], request.toolChoice, request.parallelToolCalls),
    response_format: responseFormat(request),
    reasoning_effort: request.reasoning?.effort,
    reasoning_budget_tokens: request.reasoning?.maxTokens,
  };
}

/** For the routes that take a schema as it is. */
function schemaOf({ responseFormat: format }: LlamaServerRequest): object | undefined {
  if (format?.type === 'json') return { type: 'object' };
  return format?.type === 'json_schema' ? format.schema : undefined;
}

/** `tool_choice` is only read as a string: to force one tool, only that tool is sent, with `required`. */
function toolFields(
  tools: ToolSpec[],
  choice: ToolChoice | undefined,
  parallel: boolean | undefined,
): object {
  if (tools.length === 0) return {};
  const forced = typeof choice === 'object' ? choice.name : undefined;
  const offered = forced === undefined ? tools : tools.filter(tool => tool.name === forced);
  if (offered.length === 0) {
    const names = tools.map(tool => tool.name).join(', ');
    throw new AirframeError(
      'invalid_request',
      `toolChoice names ${forced}, which is not among tools: ${names}`,
    );
  }
  return {
    tools: offered.map(tool => ({ type: 'function', function: tool })),
    tool_choice: forced === undefined ? choice : 'required',
    parallel_tool_calls: parallel,
  };
}

/** A schema counts only below `json_schema`; at the top level the server ignores it. */
function responseFormat({ responseFormat: format }: LlamaServerRequest): object | undefined {
  if (format?.type === 'json') return { type: 'json_object' };
  if (format?.type !== 'json_schema') return undefined;
  return {
    type: 'json_schema',
    json_schema: { name: format.name ?? 'answer', schema: format.schema, strict: format.strict ?? true },
  };
}

/** The template's own parameters have gone to `/apply-template` when the prompt is text already. */
function templateFree(extra: LlamaServerExtra | undefined, route: Route): LlamaServerExtra {
  if (route === 'chat' || extra === undefined) return extra ?? {};
  const isTemplates = (field: string) => TEMPLATE_FIELDS.some(name => name === field);
  return Object.fromEntries(Object.entries(extra).filter(([field]) => !isTemplates(field)));
}

function toWireMessage(message: Message): object {
  switch (message.role) {
    case 'system':
      return message;
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: message.content };
    case 'user':
      if (typeof message.content === 'string') return message;
      return {
        role: 'user',
        content: message.content.map(part =>
          part.type === 'text' ? part : { type: 'image_url', image_url: { url: part.url } },
        ),
      };
    case 'assistant':
      return defined({
        role: 'assistant',
        content: message.content,
        reasoning_content: message.reasoning?.map(part => part.text).join(''),
        tool_calls: message.toolCalls?.map(call => ({
          id: call.id,
          type: 'function',
          function: { name: call.name, arguments: call.arguments },
        })),
      });
  }
}

function pick(fields: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter(name => name in fields).map(name => [name, fields[name]]));
}

/** Without the fields left unset: servers differ in what they make of null. */
function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
