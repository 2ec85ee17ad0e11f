import { AirframeError, type ErrorCategory } from '../../errors.ts';
import type { ErrorFacts } from '../../transport/failure.ts';
import type { WireError } from './wire.ts';

/** Source: OpenAI docs on error codes, 2026, and `ResponseError.code` of openai-openapi f85dbe22. */
const CATEGORY_OF_CODE: ReadonlyMap<unknown, ErrorCategory> = new Map<unknown, ErrorCategory>([
  ['insufficient_quota', 'quota'],
  ['credit_balance_exhausted', 'quota'],
  ['billing_hard_limit_reached', 'quota'],
  ['rate_limit_exceeded', 'rate_limit'],
  ['slow_down', 'rate_limit'],
  ['context_length_exceeded', 'context_length'],
  // llama-server.
  ['exceed_context_size_error', 'context_length'],
  ['model_not_found', 'not_found'],
  ['invalid_api_key', 'auth'],
  ['content_filter', 'content_filter'],
  ['content_policy_violation', 'content_filter'],
  ['image_content_policy_violation', 'content_filter'],
  ['server_is_overloaded', 'overloaded'],
  ['server_error', 'backend'],
  ['vector_store_timeout', 'timeout'],
]);

/** Decide only inside an answer, where no status does. */
const CATEGORY_OF_TYPE: ReadonlyMap<unknown, ErrorCategory> = new Map<unknown, ErrorCategory>([
  ['invalid_request_error', 'invalid_request'],
  ['authentication_error', 'auth'],
  ['rate_limit_error', 'rate_limit'],
]);

/** `invalid_prompt`, `unsupported_value`, `image_too_large`, `failed_to_download_image` … */
const REQUEST_CODE = /^(?:invalid|unsupported|unknown|empty|image|failed_to_download)_/;

/** What the body of an error answer says; the status decides where it says nothing. */
export function readError(status: number, body: unknown): ErrorFacts {
  const facts = factsOf(errorIn(body) ?? {});
  if (facts.category === 'backend') return { retryable: true, ...facts };
  if (facts.category !== undefined) return facts;
  // 409 is a conflict with a call under way.
  if (status === 409 || status === 500) return { ...facts, category: 'backend', retryable: true };
  if (status > 501) return { ...facts, retryable: true };
  return facts;
}

/** The nested error of a body; on any status, also 200. */
export function errorIn(json: unknown): WireError | undefined {
  const error = (json as { error?: unknown } | null | undefined)?.error;
  if (typeof error === 'string' && error !== '') return { message: error };
  return typeof error === 'object' && error !== null ? (error as WireError) : undefined;
}

/** An error that comes after the answer has begun with status 200. */
export function inBandError(error: WireError): AirframeError {
  const { category, message, code } = factsOf(error);
  const requests = typeof code === 'string' && REQUEST_CODE.test(code) ? 'invalid_request' : undefined;
  const found = category ?? requests ?? CATEGORY_OF_TYPE.get(error.type) ?? 'backend';
  const problem = `the Responses API reported an error in its answer: ${message ?? code ?? 'no reason given'}`;
  return new AirframeError(found, problem, {
    ...factsOf(error),
    // What breaks in mid-answer for no named reason is not the request: that had been taken.
    ...(found === 'backend' ? { retryable: true } : {}),
    retryAfterMs: found === 'rate_limit' ? waitIn(message) : undefined,
  });
}

/** The parameter that a model refuses. */
export function refusedParameter(status: number, body: unknown): string | undefined {
  if (status !== 400) return undefined;
  const { code, param, message } = errorIn(body) ?? {};
  // Models that do not reason (NousResearch/hermes-agent#24234, 2026-05); param is not always set.
  if (/encrypted content is not supported/i.test(String(message))) return 'include';
  return /^unsupported_(parameter|value)$/.test(String(code))
    ? (param?.split('.')[0] ?? undefined)
    : undefined;
}

function factsOf({ code, type, message, n_prompt_tokens, n_ctx }: WireError): ErrorFacts {
  const text = typeof message === 'string' && message !== '' ? message : undefined;
  const words = [code, type].filter(one => typeof one === 'string' && one !== '') as string[];
  const word = words.find(one => CATEGORY_OF_CODE.has(one)) ?? words[0];
  const facts: ErrorFacts = { message: text, code: word };
  const category = CATEGORY_OF_CODE.get(word);
  if (category === 'context_length' || /context (?:length|window)/i.test(text ?? '')) {
    const counted =
      n_ctx === undefined
        ? contextTokens(text ?? '')
        : { promptTokens: n_prompt_tokens, contextTokens: n_ctx };
    return { ...facts, category: 'context_length', ...counted };
  }
  // A prompt that was flagged has the same code as one that is malformed.
  if (code === 'invalid_prompt' && /usage polic/i.test(text ?? '')) {
    return { ...facts, category: 'content_filter' };
  }
  return category === undefined ? facts : { ...facts, category };
}

/** "maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens" and its variants. */
function contextTokens(message: string): ErrorFacts {
  const context = /context (?:length|window)[^\d.]{0,40}(\d+)/i.exec(message)?.[1];
  const prompt =
    /\((\d+) in (?:the messages|your prompt)/i.exec(message)?.[1] ??
    /(?:resulted in|requested|your input (?:has|is))\s*(\d+)/i.exec(message)?.[1];
  return {
    ...(context ? { contextTokens: Number(context) } : {}),
    ...(prompt ? { promptTokens: Number(prompt) } : {}),
  };
}

/** A rate limit that comes inside a stream has no headers, only "Please try again in 1.2s". */
function waitIn(message: string | undefined): number | undefined {
  const [, amount, unit] = /try again in (\d+(?:\.\d+)?)(ms|s)\b/i.exec(message ?? '') ?? [];
  return amount === undefined ? undefined : Math.ceil(Number(amount) * (unit === 'ms' ? 1 : 1_000));
}
