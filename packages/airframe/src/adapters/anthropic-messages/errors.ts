import { AirframeError, type ErrorCategory } from '../../errors.ts';
import type { ErrorFacts } from '../../transport/failure.ts';
import type { WireError } from './wire.ts';

/** Source: docs.claude.com "Errors", 2026. */
const CATEGORY_OF_TYPE: Record<string, ErrorCategory> = {
  invalid_request_error: 'invalid_request',
  authentication_error: 'auth',
  billing_error: 'quota',
  permission_error: 'auth',
  not_found_error: 'not_found',
  conflict_error: 'backend',
  request_too_large: 'context_length',
  rate_limit_error: 'rate_limit',
  api_error: 'backend',
  timeout_error: 'timeout',
  overloaded_error: 'overloaded',
  // llama-server.
  exceed_context_size_error: 'context_length',
  unavailable_error: 'overloaded',
};

/** Types that are worth another try although their category as such is not. */
const RETRYABLE_TYPES: ReadonlySet<string> = new Set(['conflict_error', 'api_error']);

/**
 * What the type `invalid_request_error` hides; only the text tells it.
 * Source: errors quoted in anthropics/claude-code#4951, #66314, #58367, 2025–2026; docs.claude.com "Errors".
 */
const HIDDEN: { text: RegExp; category: ErrorCategory }[] = [
  {
    text: /prompt is too long(?:: (?<prompt>\d+) tokens > (?<context>\d+) maximum)?/,
    category: 'context_length',
  },
  {
    text: /exceed context limit(?:: (?<prompt>\d+) \+ \d+ > (?<context>\d+))?/,
    category: 'context_length',
  },
  { text: /credit balance is too low|reached your specified .*usage limits/, category: 'quota' },
  { text: /blocked by content filtering policy/, category: 'content_filter' },
];

/** What the body of an error answer says. A 413 comes from the CDN in front, often without JSON. */
export function readError(status: number, body: unknown): ErrorFacts {
  const answer = body as { error?: WireError | null; request_id?: string | null } | null | undefined;
  const facts: ErrorFacts = {
    ...(answer?.error ? factsOf(answer.error) : {}),
    ...(answer?.request_id ? { requestId: answer.request_id } : {}),
  };
  if (facts.category !== undefined) return facts;
  if (status === 413) {
    return {
      code: 'request_too_large',
      message: 'the request is larger than the API takes (32 MB)',
      ...facts,
    };
  }
  return status === 409 || status >= 500 ? { ...facts, retryable: true } : facts;
}

/** An error that comes after the answer has begun with status 200; its type says what the status would. */
export function inBandError(event: { error?: WireError | null; request_id?: string | null }): AirframeError {
  const { category, message, ...rest } = factsOf(event.error ?? {});
  const problem = `the Messages API reported in mid-answer: ${message ?? 'an error without a message'}`;
  return new AirframeError(category ?? 'backend', problem, {
    ...rest,
    requestId: event.request_id ?? undefined,
  });
}

function factsOf({ type, message, n_prompt_tokens, n_ctx }: WireError): ErrorFacts {
  const facts: ErrorFacts = {
    category: type === undefined ? undefined : CATEGORY_OF_TYPE[type],
    message,
    code: type,
    retryable: type !== undefined && RETRYABLE_TYPES.has(type) ? true : undefined,
    promptTokens: n_prompt_tokens,
    contextTokens: n_ctx,
  };
  if (type !== 'invalid_request_error' || message === undefined) return facts;
  for (const { text, category } of HIDDEN) {
    const found = text.exec(message);
    if (!found) continue;
    const { prompt, context } = found.groups ?? {};
    return {
      ...facts,
      category,
      promptTokens: prompt === undefined ? undefined : Number(prompt),
      contextTokens: context === undefined ? undefined : Number(context),
    };
  }
  return facts;
}
