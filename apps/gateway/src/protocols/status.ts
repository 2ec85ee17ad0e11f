import type { AirframeError, ErrorCategory } from '@x/airframe';

/** Codes of errors that the gateway finds itself, before any provider is asked. */
export const GATEWAY_CODES = {
  /** No key, or one that nobody has. */
  key: 'invalid_api_key',
  /** A key that may not do this. */
  forbidden: 'forbidden',
  /** A model that the configuration does not name. */
  model: 'model_not_found',
  /** Too many calls of one key, or of the gateway, at once. */
  concurrency: 'too_many_requests',
  /** The gateway is going down. */
  draining: 'draining',
  /** The body is too large. */
  tooLarge: 'request_too_large',
} as const;

const STATUS: Readonly<Record<ErrorCategory, number>> = {
  timeout: 504,
  connection: 502,
  backend: 502,
  parse: 502,
  unknown: 500,
  rate_limit: 429,
  overloaded: 503,
  quota: 429,
  // A key of ours that a provider does not take is no fault of the client, whose own key was good.
  auth: 502,
  invalid_request: 400,
  not_found: 404,
  context_length: 400,
  content_filter: 400,
  // Nobody is there to read it; the number stands in the access log.
  aborted: 499,
};

const OWN_STATUS: Readonly<Record<string, number>> = {
  [GATEWAY_CODES.key]: 401,
  [GATEWAY_CODES.forbidden]: 403,
  [GATEWAY_CODES.model]: 404,
  [GATEWAY_CODES.concurrency]: 429,
  [GATEWAY_CODES.draining]: 503,
  [GATEWAY_CODES.tooLarge]: 413,
  // How a provider is set up is the operator's to mend.
  configuration: 500,
};

/** The HTTP status that tells a client of an error. */
export function statusOf({ category, code }: AirframeError): number {
  return (code !== undefined && OWN_STATUS[code]) || STATUS[category];
}
