import { expect, it } from 'vitest';
import { parseRetryAfter } from './retry-after.ts';

const now = Date.parse('2026-11-01T00:00:00Z');

it.each([
  [{ 'retry-after': '2' }, 2_000],
  [{ 'retry-after': '0.5' }, 500],
  [{ 'retry-after': 'Sun, 01 Nov 2026 00:00:30 GMT' }, 30_000],
  [{ 'retry-after': 'Sat, 31 Oct 2026 00:00:30 GMT' }, 0],
  [{ 'retry-after-ms': '1500', 'retry-after': '99' }, 1_500],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': '-5' }, undefined],
  [{}, undefined],
])('%j asks to wait %s ms', (headers, expected) => {
  expect(parseRetryAfter(headers as Record<string, string>, now)).toBe(expected);
});
