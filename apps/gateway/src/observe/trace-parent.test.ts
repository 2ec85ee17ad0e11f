import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTraceOf } from './trace-parent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

/** The span that is active within. */
const parentIn = (headers: Record<string, string>) =>
  inTraceOf(headers, () => trace.getSpanContext(context.active()));

describe('the trace of a request', () => {
  beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager()));
  afterAll(() => context.disable());

  it('is the one that its traceparent names, with the state that goes with it', () => {
    const traceparent = `00-${TRACE}-${SPAN}-01`;
    const parent = parentIn({ traceparent, tracestate: 'a=1,b=2' });
    expect(parent).toMatchObject({ traceId: TRACE, spanId: SPAN, traceFlags: 1, isRemote: true });
    expect(parent?.traceState?.serialize()).toBe('a=1,b=2');
  });

  it('is known as one that nobody records', () => {
    expect(parentIn({ traceparent: `00-${TRACE}-${SPAN}-00` })).toMatchObject({ traceFlags: 0 });
  });

  it('is read from a later version, whatever stands behind it', () => {
    expect(parentIn({ traceparent: `01-${TRACE}-${SPAN}-01-more` })).toMatchObject({ traceId: TRACE });
  });

  it.for([
    ['there is no traceparent', undefined],
    ['it is none', 'nothing'],
    ['its ids are zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['its version is forbidden', `ff-${TRACE}-${SPAN}-01`],
    ['more stands behind its flags than its version has', `00-${TRACE}-${SPAN}-01-more`],
    ['it is in capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ] as const)('is a new one when %s', ([, traceparent]) => {
    expect(parentIn(traceparent === undefined ? {} : { traceparent })).toBeUndefined();
  });
});
