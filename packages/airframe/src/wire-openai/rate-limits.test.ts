import { describe, expect, it } from 'vitest';
import { parseDuration, readRateLimits } from './rate-limits.ts';

describe('rate limits', () => {
  it.each([
    ['6m0s', 360_000],
    ['12ms', 12],
    ['1s', 1_000],
    ['1h2m3.5s', 3_723_500],
    ['1d', 86_400_000],
    ['7', 7_000],
    ['0s', 0],
    ['soon', undefined],
    ['-1', undefined],
    ['6m and more', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads a reset of %s as %s ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it('brings OpenAI’s headers into one shape', () => {
    const headers = {
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '499',
      'x-ratelimit-reset-requests': '120ms',
      'x-ratelimit-limit-tokens': '30000',
      'x-ratelimit-remaining-tokens': '29000',
      'x-ratelimit-reset-tokens': '6m0s',
    };
    expect(readRateLimits(headers)).toEqual({
      requests: { limit: 500, remaining: 499, resetMs: 120 },
      tokens: { limit: 30_000, remaining: 29_000, resetMs: 360_000 },
    });
  });

  it('takes Azure’s plain numbers for seconds and -1 for unknown', () => {
    const headers = { 'x-ratelimit-remaining-tokens': '-1', 'x-ratelimit-reset-requests': '30' };
    expect(readRateLimits(headers)).toEqual({ requests: { resetMs: 30_000 } });
  });

  it('says nothing where the headers say nothing', () => {
    expect(readRateLimits({ 'content-type': 'text/event-stream' })).toBeUndefined();
  });
});
