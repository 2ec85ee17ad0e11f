import { AirframeError, type ErrorCategory, type ErrorFacts } from '@x/airframe';
import type { WireError } from './wire.ts';

/** By the gRPC code's name. Source: ai.google.dev "Troubleshooting guide", 2026; google/rpc/code.proto. */
const FACTS_OF_STATUS: Record<string, { category: ErrorCategory; retryable?: boolean }> = {
  INVALID_ARGUMENT: { category: 'invalid_request' },
  FAILED_PRECONDITION: { category: 'invalid_request' },
  OUT_OF_RANGE: { category: 'invalid_request' },
  UNAUTHENTICATED: { category: 'auth' },
  PERMISSION_DENIED: { category: 'auth' },
  NOT_FOUND: { category: 'not_found' },
  RESOURCE_EXHAUSTED: { category: 'rate_limit' },
  ABORTED: { category: 'backend', retryable: true },
  CANCELLED: { category: 'backend', retryable: true },
  INTERNAL: { category: 'backend', retryable: true },
  UNKNOWN: { category: 'backend', retryable: true },
  UNAVAILABLE: { category: 'overloaded' },
  DEADLINE_EXCEEDED: { category: 'timeout' },
};

/**
 * What only the text tells. Source: errors quoted in google-gemini/gemini-cli#6678 (2025-08), dyad-sh/dyad#3626
 * (2026-06).
 */
const HIDDEN: { text: RegExp; category: ErrorCategory }[] = [
  {
    text: /input token count(?: \((?<prompt>\d+)\))? exceeds the maximum number of tokens allowed \(?(?<context>\d+)/,
    category: 'context_length',
  },
  { text: /payload size exceeds the limit/, category: 'context_length' },
  { text: /prepayment credits are depleted/, category: 'quota' },
];

/** What the body of an error answer says; the HTTP status decides where it says nothing. */
export function readError(status: number, body: unknown): ErrorFacts {
  const error = errorIn(body);
  if (error) return factsOf(error);
  return status >= 500 ? { retryable: true } : {};
}

/** An error that comes after the answer has begun with status 200; its own status says what that of HTTP would. */
export function inBandError(error: WireError): AirframeError {
  const { category = 'backend', message = 'an error without a message', ...facts } = factsOf(error);
  return new AirframeError(category, `the Gemini API reported in mid-answer: ${message}`, facts);
}

/** The error in a parsed answer, if there is one; where the API answers with a list, it stands in there. */
export function errorIn(json: unknown): WireError | undefined {
  const value: unknown = Array.isArray(json) ? json[0] : json;
  return (value as { error?: WireError | null } | null | undefined)?.error ?? undefined;
}

function factsOf({ message, status = '', details: given }: WireError): ErrorFacts {
  const details = given ?? [];
  const reason = details.find(detail => detail.reason !== undefined)?.reason;
  const delay = details.find(detail => detail.retryDelay !== undefined)?.retryDelay;
  const facts: ErrorFacts = {
    ...FACTS_OF_STATUS[status],
    message,
    code: reason ?? (status || undefined),
    retryAfterMs: delay === undefined ? undefined : milliseconds(delay),
  };
  // A wrong key is a 400 INVALID_ARGUMENT.
  if (reason?.startsWith('API_KEY_')) return { ...facts, category: 'auth' };
  // What a day allows is used up: no wait that a call could afford brings it back.
  const quotas = details.flatMap(({ violations = [] }) => violations);
  if (quotas.some(({ quotaId }) => quotaId?.includes('PerDay'))) return { ...facts, category: 'quota' };
  for (const { text, category } of HIDDEN) {
    const found = text.exec(message ?? '');
    if (!found) continue;
    const { prompt, context } = found.groups ?? {};
    return { ...facts, category, promptTokens: numberOf(prompt), contextTokens: numberOf(context) };
  }
  return facts;
}

/** google.protobuf.Duration as JSON: seconds with an `s` behind them. */
function milliseconds(duration: string): number | undefined {
  const [, seconds] = /^(\d+(?:\.\d+)?)s$/.exec(duration) ?? [];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1000);
}

function numberOf(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}
