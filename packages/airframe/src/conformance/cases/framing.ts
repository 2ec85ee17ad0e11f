import type { ConformanceCase } from '../conformance-case.ts';
import { HUGE_EVENT, OVERSIZED_EVENT } from '../replies.ts';
import { GOOD } from './expectations.ts';

/** How an answer is cut into bytes is the network's business: the events are the same. */
export const FRAMING: readonly ConformanceCase[] = [
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
