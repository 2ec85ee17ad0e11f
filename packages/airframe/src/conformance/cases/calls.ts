import type { ConformanceCase } from '../conformance-case.ts';
import { LONG } from '../replies.ts';
import { GOOD } from './expectations.ts';

/** What the caller does while a backend answers. */
export const CALLS: readonly ConformanceCase[] = [
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
