import { ERROR_CATEGORIES, isAirframeError } from '../../errors.ts';
import type { Observation } from '../observe.ts';
import type { Invariant } from './invariant.ts';
import { BAD_ENDINGS, doneOf, errorOf } from './seen.ts';

/** An error of this category is an ending of its own. */
const FILTERED = 'content_filter';

/** How a stream ends, and why. */
export const ENDING: readonly Invariant[] = [
  {
    id: 'error-with-bad-ending',
    check: seen => {
      const done = doneOf(seen);
      const error = errorOf(seen);
      if (!done) return undefined;
      if (!error)
        return BAD_ENDINGS.has(done.finishReason)
          ? `ends as ${done.finishReason} without an error event`
          : undefined;
      const fits =
        BAD_ENDINGS.has(done.finishReason) ||
        (done.finishReason === FILTERED && error.error.category === FILTERED);
      return fits ? undefined : `an error event and yet the ending ${done.finishReason}`;
    },
  },
  { id: 'ending-is-true', check: endingProblem },
  { id: 'error-is-classified', check: errorProblem },
];

function endingProblem(seen: Observation): string | undefined {
  const { finishReason: allowed } = seen.case.expect;
  const done = doneOf(seen);
  if (!done || !allowed) return undefined;
  return allowed.includes(done.finishReason)
    ? undefined
    : `ends as ${done.finishReason} instead of ${allowed.join(' or ')}${errorOf(seen) ? `: ${errorOf(seen)?.error.message}` : ''}`;
}

function errorProblem(seen: Observation): string | undefined {
  const { expect } = seen.case;
  const event = errorOf(seen);
  if (!event) return undefined;
  const { error } = event;
  if (!isAirframeError(error)) return 'the error is no AirframeError';
  if (!ERROR_CATEGORIES.includes(error.category)) return `the category ${error.category} does not exist`;
  if (typeof error.message !== 'string' || error.message.trim() === '') return 'the error has no message';
  if (!expect.error) return `an error where none belongs: ${error.message}`;
  if (!expect.error.includes(error.category)) {
    return `the category is ${error.category} instead of ${expect.error.join(' or ')}: ${error.message}`;
  }
  if (expect.retryable !== undefined && error.retryable !== expect.retryable)
    return `retryable is ${error.retryable}`;
  const [least, most] = expect.retryAfterMs ?? [0, Number.POSITIVE_INFINITY];
  const { retryAfterMs } = error;
  if (expect.retryAfterMs && !(retryAfterMs !== undefined && retryAfterMs >= least && retryAfterMs <= most)) {
    return `retryAfterMs is ${retryAfterMs} instead of ${least} to ${most}`;
  }
  return undefined;
}
