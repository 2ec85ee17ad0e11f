import type { RateLimit, RateLimits } from '../../events.ts';

/** Our name of a limit → the part of the header names that is its own. */
const LIMITS: Record<keyof RateLimits, string> = {
  requests: 'requests',
  tokens: 'tokens',
  inputTokens: 'input-tokens',
  outputTokens: 'output-tokens',
};

/**
 * The limits in `anthropic-ratelimit-*` headers. Source: docs.claude.com "Rate limits", 2026.
 *
 * @param headers lower-case names
 * @param now milliseconds since the epoch: the headers tell the reset as a point in time (RFC 3339)
 * @returns undefined when there is none
 */
export function parseRateLimits(
  headers: Record<string, string>,
  now: number = Date.now(),
): RateLimits | undefined {
  const limits: RateLimits = {};
  for (const [name, part] of Object.entries(LIMITS) as [keyof RateLimits, string][]) {
    const header = (field: string) => headers[`anthropic-ratelimit-${part}-${field}`];
    const limit: RateLimit = {
      ...given('limit', count(header('limit'))),
      ...given('remaining', count(header('remaining'))),
      ...given('resetMs', untilTime(header('reset'), now)),
    };
    if (Object.keys(limit).length > 0) limits[name] = limit;
  }
  return Object.keys(limits).length > 0 ? limits : undefined;
}

function given(name: keyof RateLimit, value: number | undefined): RateLimit {
  return value === undefined ? {} : { [name]: value };
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function untilTime(text: string | undefined, now: number): number | undefined {
  // Date.parse takes nearly anything for a date.
  const time = /^\d{4}-\d\d-\d\dT/.test(text ?? '') ? Date.parse(text ?? '') : Number.NaN;
  return Number.isNaN(time) ? undefined : Math.max(0, time - now);
}
