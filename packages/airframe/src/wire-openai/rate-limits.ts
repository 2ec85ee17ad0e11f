import type { RateLimit, RateLimits } from '../events.ts';

const UNIT_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * The limits in `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`. Resets are durations at OpenAI and Groq
 * (`6m0s`, `12ms`), plain seconds at Azure; -1 means unknown. Source: OpenAI docs on rate limits and Azure
 * quota-2.md, both 2026.
 *
 * @param headers lower-case names
 * @returns undefined when the headers tell nothing
 */
export function readRateLimits(headers: Record<string, string>): RateLimits | undefined {
  const requests = readLimit(headers, 'requests');
  const tokens = readLimit(headers, 'tokens');
  if (!requests && !tokens) return undefined;
  return { ...(requests ? { requests } : {}), ...(tokens ? { tokens } : {}) };
}

function readLimit(headers: Record<string, string>, of: 'requests' | 'tokens'): RateLimit | undefined {
  const limit = count(headers[`x-ratelimit-limit-${of}`]);
  const remaining = count(headers[`x-ratelimit-remaining-${of}`]);
  const resetMs = parseDuration(headers[`x-ratelimit-reset-${of}`]);
  if (limit === undefined && remaining === undefined && resetMs === undefined) return undefined;
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(resetMs === undefined ? {} : { resetMs }),
  };
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : undefined;
}

/** `1h2m3.5s`, `12ms`, or a plain number of seconds, in milliseconds. */
export function parseDuration(text: string | undefined): number | undefined {
  const value = text?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1_000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(value)) return undefined;
  let total = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return Math.round(total);
}
