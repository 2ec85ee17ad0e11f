import { expect, it } from 'vitest';
import { parseRateLimits } from './rate-limits.ts';

const now = Date.parse('2026-11-23T10:00:00Z');
const header = (rest: string) => `anthropic-ratelimit-${rest}`;

it('reads every limit, and the reset as the time from now', () => {
  const headers = {
    [header('requests-limit')]: '50',
    [header('requests-remaining')]: '49',
    [header('requests-reset')]: '2026-11-23T10:00:01.500Z',
    [header('tokens-remaining')]: '90000',
    [header('input-tokens-limit')]: '50000',
    [header('output-tokens-reset')]: '2026-11-23T12:00:30+02:00',
  };
  expect(parseRateLimits(headers, now)).toEqual({
    requests: { limit: 50, remaining: 49, resetMs: 1500 },
    tokens: { remaining: 90_000 },
    inputTokens: { limit: 50_000 },
    outputTokens: { resetMs: 30_000 },
  });
});

it('takes a reset that is past for now', () => {
  const headers = { [header('tokens-reset')]: '2026-11-23T09:59:59Z' };
  expect(parseRateLimits(headers, now)).toEqual({ tokens: { resetMs: 0 } });
});

it('says nothing without headers, or with ones that it cannot read', () => {
  expect(parseRateLimits({ 'retry-after': '3' }, now)).toBeUndefined();
  expect(
    parseRateLimits({ [header('tokens-reset')]: '60', [header('tokens-limit')]: 'many' }, now),
  ).toBeUndefined();
});
