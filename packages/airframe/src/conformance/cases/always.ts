import type { ConformanceCase } from '../conformance-case.ts';

/** For every adapter, whatever its backend is: these need no script. */
export const ALWAYS: readonly ConformanceCase[] = [
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
