import { AirframeError } from '../../errors.ts';
import type { InferenceRequest, ResponseFormat } from '../../request.ts';
import type { HttpCall } from '../../transport/exchange.ts';
import { inputOf } from './messages.ts';
import type { OpenAIResponsesExtra } from './wire.ts';

/** A request whose `extra` are parameters of OpenAI's Responses API. */
export type OpenAIResponsesRequest = InferenceRequest<OpenAIResponsesExtra>;

type Fields = Record<string, unknown>;

/**
 * The call for a request. `seed`, `reasoning.maxTokens` and `promptCache.ttl` have no counterpart and are not sent.
 * @param model used when the request names none
 * @throws AirframeError (invalid_request) for what the API has no form for
 */
export function responsesCall(
  request: OpenAIResponsesRequest,
  model: string | undefined,
  headers: Record<string, string>,
): HttpCall & { body: Fields } {
  if (request.messages === undefined) throw unsupported('a raw prompt', 'send messages instead of prompt');
  if (request.stop && request.stop.length > 0) {
    throw unsupported('stop sequences', 'leave out stop, or end the stream at the sequence yourself');
  }
  const { tools: _tools, include: _include, text, reasoning, ...extra } = request.extra ?? {};
  const store = extra.store ?? false;
  const body = defined({
    model: request.model ?? model,
    ...inputOf(request.messages, store),
    stream: request.stream !== false,
    store,
    include: include(request, store),
    max_output_tokens: request.maxTokens,
    // Reasoning models refuse most values of both: only what the caller says is sent.
    temperature: request.temperature,
    top_p: request.topP,
    ...toolFields(request),
    text: joined({ format: formatOf(request.responseFormat) }, text),
    reasoning: joined({ effort: request.reasoning?.effort }, reasoning),
    prompt_cache_key: request.promptCache?.key,
    service_tier: request.serviceTier,
    ...extra,
  });
  return { method: 'POST', path: '/responses', headers, body };
}

/**
 * What `input_tokens` takes of a request. Source: openai-node 011cd36a src/resources/responses/input-tokens.ts, 2026.
 */
const COUNTED_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'input',
  'instructions',
  'conversation',
  'previous_response_id',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'truncation',
]);

/** The call that counts the prompt's tokens. */
export function inputTokensCall(
  request: OpenAIResponsesRequest,
  model: string | undefined,
  headers: Record<string, string>,
): HttpCall {
  const { body } = responsesCall(request, model, headers);
  const fields = Object.entries(body).filter(([name]) => COUNTED_FIELDS.has(name));
  return { method: 'POST', path: '/responses/input_tokens', headers, body: Object.fromEntries(fields) };
}

/** What is not stored at OpenAI comes back encrypted, or the thinking is lost between the turns. */
function include({ extra }: OpenAIResponsesRequest, store: boolean): string[] | undefined {
  const names = [...(store ? [] : ['reasoning.encrypted_content']), ...(extra?.include ?? [])];
  return names.length > 0 ? [...new Set(names)] : undefined;
}

/**
 * Flat, unlike Chat Completions. `strict` is said outright: where it is missing this API, unlike Chat Completions,
 * makes the schema a strict one, with every property required (OpenAI docs on function calling, 2026).
 */
function toolFields({ tools = [], toolChoice, parallelToolCalls, extra }: OpenAIResponsesRequest): Fields {
  const functions = tools.map(({ name, description, parameters }) =>
    defined({ type: 'function', name, description, parameters, strict: false }),
  );
  const all: Fields[] = [...functions, ...(extra?.tools ?? [])];
  if (all.length === 0) return {};
  const forced = typeof toolChoice === 'object' ? toolChoice.name : undefined;
  if (forced !== undefined && !all.some(({ name }) => name === forced)) {
    const names = all.map(({ name, type }) => name ?? type).join(', ');
    const problem = `toolChoice names ${forced}, which is not among tools: ${names}`;
    throw new AirframeError('invalid_request', problem);
  }
  return {
    tools: all,
    tool_choice: forced === undefined ? toolChoice : { type: 'function', name: forced },
    parallel_tool_calls: parallelToolCalls,
  };
}

function formatOf(format: ResponseFormat | undefined): object | undefined {
  if (format?.type === 'json') return { type: 'json_object' };
  if (format?.type !== 'json_schema') return undefined;
  const { name = 'answer', schema, strict } = format;
  return defined({ type: 'json_schema', name, schema, strict });
}

/** Both, `extra` over ours; undefined when nothing is said. */
function joined(ours: Fields, extra: Fields | undefined): Fields | undefined {
  const fields = defined({ ...ours, ...extra });
  return Object.keys(fields).length > 0 ? fields : undefined;
}

function unsupported(what: string, remedy: string): AirframeError {
  return new AirframeError('invalid_request', `the Responses API has no ${what}`, {
    code: 'unsupported',
    remedy,
  });
}

/** Without the fields left unset. */
function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
