import type { EndpointSpec } from '../endpoint.ts';
import { AirframeError, type AirframeErrorOptions, type ErrorCategory, isAirframeError } from '../errors.ts';
import type { HttpResponse } from './http.ts';
import { redact, secretsOf } from './redact.ts';
import { parseRetryAfter } from './retry-after.ts';

/** What an adapter knows of its backend's error body. `undefined`: the status decides. */
export interface ErrorFacts
  extends Pick<
    AirframeErrorOptions,
    'code' | 'retryable' | 'retryAfterMs' | 'promptTokens' | 'contextTokens' | 'requestId'
  > {
  category?: ErrorCategory | undefined;
  message?: string | undefined;
}

/** Reads a backend's error body; `undefined` stands for one that is no JSON. Header names are lower-case. */
export type ErrorReader = (status: number, body: unknown, headers: Record<string, string>) => ErrorFacts;

const CATEGORY_OF_STATUS: Record<number, ErrorCategory> = {
  400: 'invalid_request',
  401: 'auth',
  402: 'quota',
  403: 'auth',
  404: 'not_found',
  405: 'not_found',
  408: 'timeout',
  410: 'not_found',
  413: 'context_length',
  422: 'invalid_request',
  429: 'rate_limit',
  502: 'overloaded',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded',
};

const SHOULD_RETRY: Record<string, boolean> = { true: true, false: false };

/** A redirect means that the address is wrong; it is never followed. */
export function categoryOf(status: number): ErrorCategory {
  return CATEGORY_OF_STATUS[status] ?? (status >= 300 && status < 400 ? 'not_found' : 'backend');
}

/**
 * The error for an answer whose status is no success.
 * @param text the whole body
 */
export function errorOfAnswer(
  endpoint: EndpointSpec,
  { status, headers }: Pick<HttpResponse, 'status' | 'headers'>,
  text: string,
  readError: ErrorReader,
): AirframeError {
  const secrets = secretsOf(endpoint);
  const clean = redact(text, secrets);
  const requestId = requestIdOf(headers);
  let body: unknown;
  try {
    body = JSON.parse(clean);
  } catch {
    body = undefined;
  }
  const facts = readError(status, body, headers);
  const said = facts.message ?? clean.slice(0, 200).trim();
  const problem = `${endpoint.baseUrl} answered ${status}${said ? `: ${said}` : ''}`;
  return new AirframeError(facts.category ?? categoryOf(status), problem, {
    ...facts,
    // OpenAI and Anthropic say outright whether another try makes sense.
    retryable: SHOULD_RETRY[headers['x-should-retry'] ?? ''] ?? facts.retryable,
    status,
    // The header comes first: whoever stands in front of the backend may have set it.
    retryAfterMs: parseRetryAfter(headers) ?? facts.retryAfterMs,
    requestId: requestId === undefined ? facts.requestId : redact(requestId, secrets),
    raw: clean,
  });
}

/** What a backend sends may hold our key, or another one, wherever we quote it. */
export function redacted(error: unknown, endpoint: EndpointSpec): unknown {
  if (!isAirframeError(error)) return error;
  const secrets = secretsOf(endpoint);
  const clean = (text: string) => redact(text, secrets);
  const { cause } = error;
  const quotes = cause instanceof Error && clean(cause.message) !== cause.message;
  const raw = error.raw && clean(error.raw);
  return new AirframeError(error.category, clean(error.problem), {
    ...error,
    raw,
    cause: quotes ? undefined : cause,
  });
}

/** The backend's id of the request, under whichever name it goes. */
export function requestIdOf(headers: Record<string, string>): string | undefined {
  return (
    headers['x-request-id'] ??
    headers['request-id'] ??
    headers['apim-request-id'] ??
    // OpenRouter's.
    headers['x-generation-id']
  );
}
