import type { ConformanceCase, Expectation } from './conformance-case.ts';
import { CUT_TEXT, HUGE_EVENT, LONG, OVERSIZED_EVENT, TWO_CALLS } from './replies.ts';

const GOOD: Expectation = { finishReason: ['stop'] };
const CUT: Expectation = { finishReason: ['truncated'], error: ['connection', 'parse'], text: 'prefix' };
const BROKEN: Expectation = { ...CUT, finishReason: ['truncated', 'error'] };

/** How an answer is cut into bytes is the network's business: the events are the same. */
const FRAMING: ConformanceCase[] = [
  { name: 'an answer in one piece is read', backend: {}, expect: GOOD },
  { name: 'one byte at a time is read', backend: { writes: { bytes: 1 } }, expect: GOOD },
  {
    name: 'characters split between two writes come out whole',
    backend: { writes: { bytes: 7 } },
    expect: GOOD,
  },
  { name: 'a slow drip is read', backend: { writes: { bytes: 200, everyMs: 5 } }, expect: GOOD },
  {
    name: 'lines that end in CR LF are read',
    backend: { writes: { lines: '\r\n', bytes: 5 } },
    expect: GOOD,
  },
  { name: 'lines that end in CR are read', backend: { writes: { lines: '\r', bytes: 3 } }, expect: GOOD },
  { name: 'comments and blank lines are passed over', backend: { writes: { comments: true } }, expect: GOOD },
  {
    name: 'data without a space after the colon is read',
    backend: { writes: { withoutSpace: true } },
    expect: GOOD,
  },
  {
    name: 'a byte order mark is passed over',
    backend: { writes: { byteOrderMark: true, bytes: 1 } },
    expect: GOOD,
  },
  {
    name: 'a last event without its empty line counts',
    backend: { writes: { withoutLastBlank: true } },
    expect: GOOD,
  },
  { name: 'a gzipped stream is read', backend: { writes: { gzip: true, bytes: 40 } }, expect: GOOD },
  {
    name: 'a gzipped JSON answer is read',
    backend: { sends: 'json', writes: { gzip: true } },
    caller: { request: { stream: false } },
    expect: GOOD,
  },
  {
    name: 'an event of a megabyte is read',
    backend: { reply: HUGE_EVENT, writes: { bytes: 65_536 } },
    expect: GOOD,
  },
  {
    name: 'an event over the bound is a parse error, and what came before it is kept',
    backend: { reply: OVERSIZED_EVENT, writes: { bytes: 65_536 } },
    expect: { finishReason: ['error', 'truncated'], error: ['parse'], text: 'prefix', keepsEvents: 1 },
  },
  {
    name: 'a connection left open behind the ending does not hold the reply back',
    backend: { after: 'silence' },
    caller: { timeouts: { idleMs: 1_500 } },
    expect: GOOD,
  },
];

const ANSWERS: ConformanceCase[] = [
  {
    name: 'a reply cut at the token limit ends as length',
    backend: { reply: CUT_TEXT },
    expect: { finishReason: ['length'] },
  },
  {
    name: 'parallel tool calls come out whole',
    backend: { reply: TWO_CALLS },
    expect: { finishReason: ['tool_calls'] },
    needs: 'tools',
  },
  {
    name: 'tool calls cut into single bytes come out whole',
    backend: { reply: TWO_CALLS, writes: { bytes: 1 } },
    expect: { finishReason: ['tool_calls'] },
    needs: 'tools',
  },
  {
    name: 'tool calls in a JSON answer come out whole',
    backend: { reply: TWO_CALLS, sends: 'json' },
    caller: { request: { stream: false } },
    expect: { finishReason: ['tool_calls'] },
    needs: 'tools',
  },
  {
    name: 'a JSON answer gives the events of a stream',
    backend: { sends: 'json' },
    caller: { request: { stream: false } },
    expect: GOOD,
  },
  {
    name: 'JSON where a stream was asked for is read',
    backend: { sends: 'json' },
    expect: GOOD,
  },
];

/** What ends without the backend's own word is never a success. */
const ENDINGS: ConformanceCase[] = [
  { name: 'an answer that ends without its ending is truncated', backend: { sends: 'body' }, expect: CUT },
  { name: 'an answer without a byte is truncated', backend: { sends: 'nothing' }, expect: CUT },
  {
    name: 'a socket that hangs up in mid-answer is no success',
    backend: { sends: 'body', after: 'hang_up' },
    expect: BROKEN,
  },
  {
    name: 'a reset before the answer is a connection error',
    backend: { resetAt: 'headers' },
    expect: { finishReason: ['error'], error: ['connection'], retryable: true },
  },
  {
    name: 'a reset at the first byte is no success',
    backend: { resetAt: 1, writes: { bytes: 1 } },
    expect: BROKEN,
  },
  {
    name: 'a reset within an event is no success',
    backend: { resetAt: 150, writes: { bytes: 50, everyMs: 2 } },
    expect: BROKEN,
  },
  {
    name: 'silence in mid-answer is stalled',
    backend: { sends: 'body', after: 'silence' },
    caller: { timeouts: { idleMs: 150 } },
    expect: { finishReason: ['stalled'], error: ['timeout'], text: 'whole' },
  },
  {
    name: 'silence before the answer is a timeout',
    backend: { headersAfterMs: 'forever' },
    caller: { timeouts: { headersMs: 150 } },
    expect: { finishReason: ['error'], error: ['timeout'] },
  },
  {
    name: 'the total deadline ends an answer that goes on for ever',
    backend: { writes: { bytes: 10, everyMs: 50 }, after: 'silence' },
    caller: { timeouts: { totalMs: 300 } },
    expect: { finishReason: ['error'], error: ['timeout'], text: 'prefix' },
  },
  {
    name: 'a failure as the first event is an error',
    backend: { sends: 'error' },
    expect: { finishReason: ['error'], error: ['backend', 'overloaded', 'unknown'] },
  },
  {
    name: 'a failure in mid-answer is an error, and what came before it is kept',
    backend: { sends: 'body_and_error' },
    expect: { finishReason: ['error'], error: ['backend', 'overloaded', 'unknown'], text: 'whole' },
  },
  {
    name: 'a failure in mid-answer ends the stream though the connection stays open',
    backend: { sends: 'body_and_error', after: 'silence' },
    caller: { timeouts: { idleMs: 5_000 } },
    expect: { finishReason: ['error'], error: ['backend', 'overloaded', 'unknown'], text: 'whole' },
  },
  {
    name: 'an event that is not JSON is a parse error',
    backend: { sends: { text: 'data: {"half": \n\ndata: <html>\n\n', type: 'text/event-stream' } },
    expect: { finishReason: ['error', 'truncated'], error: ['parse'] },
  },
  {
    name: 'garbage under the name of a stream is no success',
    backend: { sends: { text: '\u0000\u0001\ufffdgarbage\n\u0007::\n\n:\n', type: 'text/event-stream' } },
    expect: BROKEN,
  },
  {
    name: 'a page where an answer belongs is a parse error',
    backend: { sends: { text: '<html><body>Welcome</body></html>', type: 'text/html' } },
    expect: { finishReason: ['error'], error: ['parse'] },
  },
];

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

const STATUSES: ConformanceCase[] = [
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

/** What the caller does while a backend answers. */
const CALLS: ConformanceCase[] = [
  {
    name: 'headers of the call reach the backend with every request',
    backend: {},
    caller: { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } },
    expect: GOOD,
  },
  {
    name: 'an abort while waiting for the answer reaches the backend',
    backend: { headersAfterMs: 'forever' },
    caller: { abort: 'waiting' },
    expect: { finishReason: ['aborted'], error: ['aborted'] },
  },
  {
    name: 'an abort in mid-answer reaches the backend',
    backend: { sends: 'body', after: 'silence' },
    caller: { abort: { afterEvents: 2 } },
    expect: { finishReason: ['aborted'], error: ['aborted'], text: 'prefix', keepsEvents: 2 },
  },
  {
    name: 'leaving while waiting for the answer reaches the backend',
    backend: { headersAfterMs: 'forever' },
    caller: { leave: 'waiting' },
    expect: {},
  },
  {
    name: 'leaving in mid-answer reaches the backend',
    backend: { sends: 'body', after: 'silence' },
    caller: { leave: { afterEvents: 2 } },
    expect: { text: 'prefix' },
  },
  {
    name: 'closing the adapter ends the streams under way',
    backend: { sends: 'body', after: 'silence' },
    caller: { close: { afterEvents: 2 } },
    expect: { finishReason: ['aborted'], error: ['aborted'], text: 'prefix' },
  },
  {
    name: 'a caller who does not read makes the backend wait',
    backend: { reply: LONG, writes: { bytes: 16_384 } },
    caller: { stalls: true, leave: { afterEvents: 1 } },
    expect: { text: 'prefix' },
  },
];

/** For every adapter, whatever its backend is: these need no script. */
const ALWAYS: ConformanceCase[] = [
  { name: 'an answer comes to a good end', expect: { finishReason: ['stop', 'length', 'tool_calls'] } },
  {
    name: 'an answer in one piece comes to the same end',
    caller: { request: { stream: false } },
    expect: { finishReason: ['stop', 'length', 'tool_calls'] },
  },
  {
    name: 'several reads at once are answered in order',
    caller: { readsAhead: true },
    expect: { finishReason: ['stop', 'length', 'tool_calls'] },
  },
  {
    name: 'a signal that has fired already ends the call before it begins',
    caller: { abort: 'before' },
    expect: { finishReason: ['aborted'], error: ['aborted'] },
  },
  {
    name: 'an abort after the first event ends the stream',
    caller: { abort: { afterEvents: 1 } },
    expect: { finishReason: ['aborted', 'stop', 'length'], error: ['aborted'], text: 'prefix' },
  },
  {
    name: 'leaving after the first event ends the stream',
    caller: { leave: { afterEvents: 1 } },
    expect: { text: 'prefix' },
  },
  {
    name: 'a closed adapter takes no more calls',
    caller: { close: 'before' },
    expect: { finishReason: ['aborted'], error: ['aborted'] },
  },
  {
    name: 'a request that makes no sense is an error event',
    caller: { request: { temperature: -1 } },
    expect: { finishReason: ['error'], error: ['invalid_request'], retryable: false },
  },
  {
    name: 'a deadline that makes no sense is an error event',
    caller: { timeouts: { totalMs: Number.NaN } },
    expect: { finishReason: ['error'], error: ['invalid_request'], retryable: false },
  },
];

/** Every case of the kit. */
export const CONFORMANCE_CASES: readonly ConformanceCase[] = [
  ...FRAMING,
  ...ANSWERS,
  ...ENDINGS,
  ...STATUSES,
  ...CALLS,
  ...ALWAYS,
];
