import type { IncomingHttpHeaders } from 'node:http';
import {
  type Context,
  context,
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  trace,
} from '@opentelemetry/api';

/** Version, trace id, span id, flags; later versions may have more behind them. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * Runs something in the client's trace, as its `traceparent` names it: the spans that it makes are children of the
 * client's. Without the header, or without an SDK, it is simply run.
 */
export function inTraceOf<T>({ traceparent, tracestate }: IncomingHttpHeaders, work: () => T): T {
  if (typeof traceparent !== 'string') return work();
  const parent = parentOf(traceparent, [tracestate].flat().join(','));
  return parent ? context.with(parent, work) : work();
}

/**
 * W3C Trace Context (Recommendation of 2021-11-23), read by hand: a propagator would be registered for all that goes out
 * of this process as well.
 */
function parentOf(traceparent: string, tracestate: string): Context | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(traceparent) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  const parent: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
    ...(tracestate === '' ? {} : { traceState: createTraceState(tracestate) }),
  };
  return isSpanContextValid(parent) ? trace.setSpanContext(ROOT_CONTEXT, parent) : undefined;
}
