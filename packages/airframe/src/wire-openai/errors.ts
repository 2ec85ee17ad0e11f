import { AirframeError, type ErrorCategory } from '../errors.ts';
import { categoryOf, type ErrorFacts } from '../transport/failure.ts';

/** An error of an API in OpenAI's form; everything may be missing or null. */
export interface WireError {
  message?: string | null;
  type?: string | null;
  param?: string | null;
  /** OpenRouter, llama-server and in-stream errors of vLLM: the HTTP status. */
  code?: string | number | null;
  /** OpenRouter: what the provider behind it said. */
  metadata?: { raw?: unknown; provider_name?: string; reasons?: unknown[] } | null;
  /** llama-server, with `exceed_context_size_error`. */
  n_prompt_tokens?: number;
  n_ctx?: number;
}

/**
 * What codes and types mean, in the words of OpenAI (error code docs, 2026, and `ResponseError.code` of
 * openai-openapi f85dbe22), Azure, Groq, OpenRouter, vLLM and llama-server.
 */
const WORDS: Record<string, ErrorCategory> = {
  insufficient_quota: 'quota',
  credit_balance_exhausted: 'quota',
  billing_hard_limit_reached: 'quota',
  rate_limit_exceeded: 'rate_limit',
  rate_limit_error: 'rate_limit',
  slow_down: 'rate_limit',
  context_length_exceeded: 'context_length',
  exceed_context_size_error: 'context_length',
  model_not_found: 'not_found',
  not_found_error: 'not_found',
  NotFoundError: 'not_found',
  DeploymentNotFound: 'not_found',
  invalid_api_key: 'auth',
  authentication_error: 'auth',
  permission_error: 'auth',
  content_filter: 'content_filter',
  content_policy_violation: 'content_filter',
  image_content_policy_violation: 'content_filter',
  unsupported_parameter: 'invalid_request',
  unsupported_value: 'invalid_request',
  server_is_overloaded: 'overloaded',
  overloaded_error: 'overloaded',
  unavailable_error: 'overloaded',
  // Groq: what the model wrote was no valid call, or no valid JSON.
  tool_use_failed: 'backend',
  json_validate_failed: 'backend',
  server_error: 'backend',
  vector_store_timeout: 'timeout',
};

const CATEGORY_OF_WORD: ReadonlyMap<unknown, ErrorCategory> = new Map(Object.entries(WORDS));

/** Vaguer words: they decide only where no status does. */
const CATEGORY_OF_VAGUE_WORD: ReadonlyMap<unknown, ErrorCategory> = new Map([
  ['invalid_request_error', 'invalid_request'],
  ['BadRequestError', 'invalid_request'],
  ['insufficient_system_resource', 'overloaded'],
]);

/** `invalid_prompt`, `unsupported_value`, `image_too_large`, `failed_to_download_image` …: only inside an answer. */
const REQUEST_CODE = /^(?:invalid|unsupported|unknown|empty|image|failed_to_download)_/;

/** The same request may well succeed on a second run. */
const RERUN = new Set(['tool_use_failed', 'json_validate_failed']);

/** What OpenAI's statuses mean beyond the usual: 409 is a conflict with a call under way, 498 Groq's lack of capacity. */
const FACTS_OF_STATUS: Record<number, ErrorFacts> = {
  409: { category: 'backend', retryable: true },
  498: { category: 'overloaded' },
  500: { category: 'backend', retryable: true },
  520: { category: 'backend', retryable: true },
  522: { category: 'timeout' },
  524: { category: 'timeout' },
};

/** What the body of an error answer says; the status decides where it says nothing. */
export function readError(status: number, body: unknown): ErrorFacts {
  const error = errorIn(body) ?? flatError(body);
  const facts = error === undefined ? {} : factsOf(error);
  const { category } = facts;
  const known = category === undefined ? FACTS_OF_STATUS[status] : undefined;
  if (category === 'backend') return { retryable: true, ...facts };
  // Groq: more tokens at once than a minute allows; it will not fit next time either.
  if (category === 'rate_limit' && status === 413) return { ...facts, retryable: false };
  // The SDKs of OpenAI try again after any of these; what is not implemented stays so.
  return { ...(status > 501 ? { retryable: true } : {}), ...facts, ...known };
}

/** The error in a parsed answer, if there is one; on any status, also 200. */
export function errorIn(json: unknown): WireError | string | undefined {
  // Gemini's endpoint wraps an error in an array.
  const value = Array.isArray(json) ? json[0] : json;
  if (!isObject(value)) return undefined;
  const { error } = value;
  if (typeof error === 'string' && error !== '') return error;
  if (isObject(error)) return error;
  if (error) return JSON.stringify(error);
  return value['object'] === 'error' ? value : undefined;
}

/** An error that came in a good answer or in mid-stream. */
export function inBandError(wire: WireError | string): AirframeError {
  // Groq's `x_groq.error` may be a bare code.
  const error = typeof wire === 'string' && CATEGORY_OF_WORD.has(wire) ? { code: wire } : wire;
  const { category, message, ...rest } = factsOf(error);
  const { code, type } = typeof error === 'string' ? {} : error;
  const known = FACTS_OF_STATUS[Number(code)];
  // In the midst of an answer the status stands in the body, if anywhere.
  const byStatus = known?.category ?? (Number(code) >= 400 ? categoryOf(Number(code)) : undefined);
  const byCode = REQUEST_CODE.test(String(code)) ? 'invalid_request' : CATEGORY_OF_VAGUE_WORD.get(type);
  const found = category ?? byStatus ?? byCode ?? 'backend';
  const said = message ?? rest.code ?? 'no reason given';
  return new AirframeError(found, `the backend reported an error in its answer: ${said}`, {
    // What breaks in mid-answer is not the request: that had been taken.
    retryable: found === 'backend' ? true : known?.retryable,
    retryAfterMs: found === 'rate_limit' ? waitIn(message) : undefined,
    ...rest,
  });
}

/** A rate limit inside an answer has no headers, only "Please try again in 1.2s". */
function waitIn(message: string | undefined): number | undefined {
  const [, amount, unit] = /try again in (\d+(?:\.\d+)?)(ms|s)\b/i.exec(message ?? '') ?? [];
  return amount === undefined ? undefined : Math.ceil(Number(amount) * (unit === 'ms' ? 1 : 1_000));
}

/** The parameter that a server refuses, from OpenAI's `param`, the place in a FastAPI 422, or the message. */
export function refusedParameter(status: number, body: unknown): string | undefined {
  if (status !== 400 && status !== 422) return undefined;
  const error = errorIn(body);
  if (typeof error === 'object' && /^unsupported_(parameter|value)$/.test(String(error.code))) {
    return error.param?.split('.')[0];
  }
  const detail = firstDetail(body);
  // `extra_forbidden`, or `value_error.extra` of pydantic 1.
  if (detail?.type?.includes('extra')) return String(detail.loc?.[1]);
  return messageOf(body)?.includes('stream_options') ? 'stream_options' : undefined;
}

function factsOf(wire: WireError | string): ErrorFacts {
  if (typeof wire === 'string') return { message: wire, ...contextFacts(wire) };
  const { code, type, metadata } = wire;
  const words = [code, type].filter(word => typeof word === 'string' && word !== '') as string[];
  const word = words.find(one => CATEGORY_OF_WORD.has(one)) ?? words[0];
  const message = [messageOf(wire), upstream(metadata)].filter(Boolean).join(': ') || undefined;
  const facts: ErrorFacts = { message, code: word, ...(RERUN.has(word ?? '') ? { retryable: true } : {}) };
  const category = CATEGORY_OF_WORD.get(word);
  if (category !== undefined && category !== 'context_length') return { ...facts, category };
  // A prompt that was flagged has the same code as one that is malformed.
  if (code === 'invalid_prompt' && /usage polic/i.test(message ?? '')) {
    return { ...facts, category: 'content_filter' };
  }
  // OpenRouter's moderation comes as a 403.
  if (metadata?.reasons) return { ...facts, category: 'content_filter' };
  const { n_prompt_tokens: promptTokens, n_ctx: contextTokens } = wire;
  const counted = promptTokens === undefined ? contextFacts(message ?? '') : { promptTokens, contextTokens };
  return { ...facts, ...(category && { category }), ...counted };
}

/** What the provider behind OpenRouter said. */
function upstream(metadata: WireError['metadata']): string | undefined {
  const { raw, provider_name: provider } = metadata ?? {};
  if (!raw) return undefined;
  const text =
    typeof raw === 'string' ? (messageOf(parsed(raw)) ?? raw) : (messageOf(raw) ?? JSON.stringify(raw));
  return `${provider ? `${provider}: ` : ''}${text.slice(0, MAX_UPSTREAM_CHARS)}`;
}

const MAX_UPSTREAM_CHARS = 300;

/** Shapes without `error`: FastAPI's `detail`, Azure's gateway. */
function flatError(body: unknown): WireError | undefined {
  if (!isObject(body)) return undefined;
  return firstDetail(body) || body['message'] ? body : undefined;
}

interface Detail {
  loc?: unknown[];
  msg?: unknown;
  type?: string;
}

/** The first complaint of a FastAPI 422; Mistral puts the list below `message`. */
function firstDetail(body: unknown): Detail | undefined {
  if (!isObject(body)) return undefined;
  const { detail, message } = body;
  if (typeof detail === 'string') return { msg: detail };
  if (Array.isArray(detail) && isObject(detail[0])) return detail[0];
  return firstDetail(message);
}

/** The text of an error, wherever its shape has it. */
function messageOf(body: unknown): string | undefined {
  const error = errorIn(body) ?? body;
  if (typeof error === 'string') return error;
  if (!isObject(error)) return undefined;
  const detail = firstDetail(error);
  if (detail) return [detail.loc?.join('.'), detail.msg].filter(Boolean).join(': ');
  const { message } = error;
  return typeof message === 'string' && message !== '' ? message : undefined;
}

const CONTEXT = /(?:context (?:length|window)|too many tokens|prompt is too long)/i;
const CONTEXT_TOKENS = [
  /(?:context length|context window)[^\d.]{0,40}(\d+)/i,
  /(\d+) (?:maximum context length|tokens? context)/i,
];
const PROMPT_TOKENS = [
  /\((\d+) (?:in (?:the messages|your prompt)|of text input)/i,
  /(?:resulted in|request has|you passed|prompt contains(?: at least)?|the input \()\s*(\d+)/i,
];

/** The sentences of OpenAI, vLLM, SGLang, Mistral and OpenRouter differ; the figures stand in all of them. */
function contextFacts(message: string): ErrorFacts {
  if (!CONTEXT.test(message)) return {};
  return {
    category: 'context_length',
    promptTokens: figure(message, PROMPT_TOKENS),
    contextTokens: figure(message, CONTEXT_TOKENS),
  };
}

function figure(text: string, patterns: RegExp[]): number | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(text)?.[1];
    if (found) return Number(found);
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
