import type { ConformanceCase } from '../conformance-case.ts';
import { BROKEN, CUT } from './expectations.ts';

/** What ends without the backend's own word is never a success. */
export const ENDINGS: readonly ConformanceCase[] = [
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
