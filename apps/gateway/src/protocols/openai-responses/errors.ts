import type { AirframeError, ErrorCategory } from '@x/airframe';
import { GATEWAY_CODES } from '../status.ts';
import type { WireError } from './wire.ts';

type Words = readonly [type: string, code: string];

/** Sources: OpenAI docs "Error codes", 2026; `ResponseError` of openai-openapi f85dbe22. */
const WORDS: Readonly<Record<ErrorCategory, Words>> = {
  timeout: ['server_error', 'timeout'],
  connection: ['server_error', 'server_error'],
  backend: ['server_error', 'server_error'],
  parse: ['server_error', 'server_error'],
  unknown: ['server_error', 'server_error'],
  rate_limit: ['rate_limit_error', 'rate_limit_exceeded'],
  overloaded: ['server_error', 'server_is_overloaded'],
  quota: ['insufficient_quota', 'insufficient_quota'],
  // A provider did not take the gateway's own key.
  auth: ['server_error', 'server_error'],
  invalid_request: ['invalid_request_error', 'invalid_prompt'],
  not_found: ['invalid_request_error', 'model_not_found'],
  context_length: ['invalid_request_error', 'context_length_exceeded'],
  content_filter: ['invalid_request_error', 'content_filter'],
  aborted: ['server_error', 'server_error'],
};

const OWN_WORDS: Readonly<Record<string, Words>> = {
  [GATEWAY_CODES.key]: ['invalid_request_error', GATEWAY_CODES.key],
  [GATEWAY_CODES.forbidden]: ['permission_error', GATEWAY_CODES.forbidden],
  [GATEWAY_CODES.model]: ['invalid_request_error', GATEWAY_CODES.model],
  [GATEWAY_CODES.concurrency]: ['rate_limit_error', 'rate_limit_exceeded'],
  [GATEWAY_CODES.draining]: ['server_error', 'server_is_overloaded'],
  [GATEWAY_CODES.tooLarge]: ['invalid_request_error', GATEWAY_CODES.tooLarge],
  // How a provider is set up is the operator's to mend.
  configuration: ['server_error', 'server_error'],
};

/** An error as the API tells it. */
export function wireErrorOf({ category, code: own, message }: AirframeError): WireError {
  const [type, code] = (own !== undefined && OWN_WORDS[own]) || WORDS[category];
  return { message, type, param: null, code };
}
