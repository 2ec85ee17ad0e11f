import type { AirframeError, ErrorCategory } from '@x/airframe';
import { GATEWAY_CODES, statusOf } from '../status.ts';
import type { WireError } from './wire.ts';

/** Source: docs.claude.com "Errors", 2026; `ErrorType` of @anthropic-ai/sdk 1.14.0. */
const TYPES: Readonly<Record<ErrorCategory, string>> = {
  timeout: 'timeout_error',
  connection: 'api_error',
  backend: 'api_error',
  parse: 'api_error',
  unknown: 'api_error',
  rate_limit: 'rate_limit_error',
  overloaded: 'overloaded_error',
  quota: 'billing_error',
  // A provider did not take the gateway's own key.
  auth: 'api_error',
  invalid_request: 'invalid_request_error',
  not_found: 'not_found_error',
  context_length: 'invalid_request_error',
  content_filter: 'invalid_request_error',
  aborted: 'api_error',
};

const OWN_TYPES: Readonly<Record<string, string>> = {
  [GATEWAY_CODES.key]: 'authentication_error',
  [GATEWAY_CODES.forbidden]: 'permission_error',
  [GATEWAY_CODES.model]: 'not_found_error',
  [GATEWAY_CODES.concurrency]: 'rate_limit_error',
  // A budget of the gateway's own is full again at the end of its window.
  limit_reached: 'rate_limit_error',
  [GATEWAY_CODES.draining]: 'overloaded_error',
  [GATEWAY_CODES.tooLarge]: 'request_too_large',
  // How a provider is set up is the operator's to mend.
  configuration: 'api_error',
};

/** The statuses that belong to the API's own types. */
const STATUS: Readonly<Record<string, number>> = { overloaded_error: 529, billing_error: 402 };

export function wireStatusOf(error: AirframeError): number {
  return STATUS[typeOf(error)] ?? statusOf(error);
}

/** An error as the API tells it, in a body of its own as well as in mid-stream. */
export function wireErrorOf(error: AirframeError, requestId: string): WireError {
  return { type: 'error', error: { type: typeOf(error), message: messageOf(error) }, request_id: requestId };
}

function typeOf({ category, code }: AirframeError): string {
  return (code !== undefined && OWN_TYPES[code]) || TYPES[category];
}

/**
 * Clients know a prompt that is too long by these words alone, and then make it shorter (musistudio/claude-code-router
 * #1799, 2026-09).
 */
function messageOf({ category, message, promptTokens, contextTokens }: AirframeError): string {
  if (category !== 'context_length' || message.startsWith('prompt is too long')) return message;
  const isCounted = promptTokens !== undefined && contextTokens !== undefined;
  const figures = isCounted ? `: ${promptTokens} tokens > ${contextTokens} maximum` : '';
  return `prompt is too long${figures} (${message})`;
}
