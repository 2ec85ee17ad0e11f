import { AirframeError } from '@x/airframe';
import type { ErrorFacts } from './protocol.ts';

/** Anything thrown, as a plain object. */
export function errorFacts(thrown: unknown): ErrorFacts {
  const { category, problem, remedy, retryable, retryAfterMs, status, code, requestId, raw, ...rest } =
    AirframeError.from(thrown);
  const { promptTokens, contextTokens } = rest;
  return {
    category,
    problem,
    remedy,
    retryable,
    retryAfterMs,
    status,
    code,
    requestId,
    raw,
    promptTokens,
    contextTokens,
  };
}

export function errorOf({ category, problem, ...facts }: ErrorFacts): AirframeError {
  return new AirframeError(category, problem, facts);
}
