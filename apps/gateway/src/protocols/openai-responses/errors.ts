import type { AirframeError, ErrorCategory } from '@x/airframe';
import { type OpenAIErrorBody, openAIError } from '../openai-error.ts';

/** What clients look for in mid-stream. Sources: OpenAI docs "Error codes", 2026; `ResponseError` of openai-openapi f85dbe22. */
const CODES: Readonly<Record<ErrorCategory, string>> = {
  timeout: 'server_error',
  connection: 'server_error',
  backend: 'server_error',
  parse: 'server_error',
  unknown: 'server_error',
  rate_limit: 'rate_limit_exceeded',
  overloaded: 'server_is_overloaded',
  quota: 'insufficient_quota',
  // A provider did not take the gateway's own key.
  auth: 'server_error',
  invalid_request: 'invalid_prompt',
  not_found: 'model_not_found',
  context_length: 'context_length_exceeded',
  content_filter: 'content_filter',
  aborted: 'server_error',
};

/** An error as it stands in a stream, whose status is 200: the code alone tells what it is. */
export function wireErrorOf(
  error: AirframeError,
  requestId: string,
): OpenAIErrorBody['error'] & { code: string } {
  return { ...openAIError(error, requestId).error, code: CODES[error.category] };
}
