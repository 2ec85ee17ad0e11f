import type { ConformanceCase, Expectation } from '../conformance-case.ts';

const failure = (
  name: string,
  backend: ConformanceCase['backend'] & object,
  expect: Expectation,
): ConformanceCase => ({
  name,
  backend: {
    sends: { text: '{"error":{"message":"refused by the script"}}', type: 'application/json' },
    ...backend,
  },
  expect: { finishReason: ['error'], ...expect },
});

const LIMITED: Expectation = { error: ['rate_limit'], retryable: true };

/** What the backend says by its status. */
export const STATUSES: readonly ConformanceCase[] = [
  failure('400 is an invalid request', { status: 400 }, { error: ['invalid_request'], retryable: false }),
  failure('401 is a matter of the key', { status: 401 }, { error: ['auth'], retryable: false }),
  failure('404 is not found', { status: 404 }, { error: ['not_found'], retryable: false }),
  failure(
    '429 with Retry-After in seconds',
    { status: 429, retryAfter: '1' },
    { ...LIMITED, retryAfterMs: [1_000, 1_000] },
  ),
  failure(
    '429 with Retry-After in parts of a second',
    { status: 429, retryAfter: '0.2' },
    { ...LIMITED, retryAfterMs: [200, 200] },
  ),
  failure(
    '429 with Retry-After as a date',
    { status: 429, retryAfter: 'date' },
    { ...LIMITED, retryAfterMs: [0, 2_000] },
  ),
  failure(
    '429 with retry-after-ms',
    { status: 429, retryAfter: '30', headers: { 'retry-after-ms': '20' } },
    { ...LIMITED, retryAfterMs: [20, 20] },
  ),
  failure(
    '429 with a Retry-After of an hour',
    { status: 429, retryAfter: '3600' },
    { ...LIMITED, retryAfterMs: [3_600_000, 3_600_000] },
  ),
  failure('429 with a Retry-After that says nothing', { status: 429, retryAfter: 'soon' }, LIMITED),
  failure('429 without Retry-After', { status: 429 }, LIMITED),
  failure('500 is a failure of the backend', { status: 500 }, { error: ['backend'] }),
  failure(
    '502 with a page for an answer',
    { status: 502, sends: { text: '<html>Bad Gateway</html>', type: 'text/html' } },
    { error: ['overloaded', 'backend'], retryable: true },
  ),
  failure('503 is an overload', { status: 503 }, { error: ['overloaded'], retryable: true }),
  failure('529 is an overload', { status: 529 }, { error: ['overloaded'], retryable: true }),
  failure(
    'an error without a body is told by its status',
    { status: 401, sends: 'nothing' },
    { error: ['auth'] },
  ),
  failure('a gzipped error is read', { status: 429, writes: { gzip: true } }, LIMITED),
  failure(
    'an error in an answer of status 200 is an error',
    { status: 200 },
    { error: ['backend', 'unknown', 'overloaded', 'invalid_request'] },
  ),
  failure(
    'a redirect is not followed',
    { status: 302, headers: { location: '/elsewhere' } },
    { error: ['not_found', 'connection', 'backend'] },
  ),
  failure(
    'a redirect that keeps the method is not followed',
    { status: 307, headers: { location: '/elsewhere' } },
    { error: ['not_found', 'connection', 'backend'] },
  ),
  {
    name: 'nobody listens at the address',
    backend: {},
    caller: { wrongPort: true },
    expect: { finishReason: ['error'], error: ['connection'], retryable: true },
  },
];
