import type { ConformanceCase } from '../conformance-case.ts';
import { CUT_TEXT, TWO_CALLS } from '../replies.ts';
import { GOOD } from './expectations.ts';

/** What a whole answer holds. */
export const ANSWERS: readonly ConformanceCase[] = [
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
