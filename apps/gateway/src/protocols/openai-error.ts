import type { AirframeError } from '@x/airframe';
import { statusOf } from './status.ts';

/** The body of an error as OpenAI sends it (openai-openapi, `ErrorResponse`), with the gateway's id of the call. */
export interface OpenAIErrorBody {
  error: {
    message: string;
    type: string;
    param: string | null;
    code: string | null;
    /** Ours: what failed, by the gateway's own categories. */
    category: string;
    request_id: string;
  };
}

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'invalid_request_error',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
};

export function openAIError(error: AirframeError, requestId: string): OpenAIErrorBody {
  const { category, message } = error;
  const type = category === 'quota' ? 'insufficient_quota' : (TYPES[statusOf(error)] ?? 'server_error');
  return { error: { message, type, param: null, code: codeOf(error), category, request_id: requestId } };
}

function codeOf({ category, code }: AirframeError): string | null {
  if (category === 'context_length') return 'context_length_exceeded';
  if (category === 'quota') return 'insufficient_quota';
  if (category === 'rate_limit') return 'rate_limit_exceeded';
  return code ?? null;
}
