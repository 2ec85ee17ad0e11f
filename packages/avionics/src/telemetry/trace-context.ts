import { isSpanContextValid, type SpanContext } from '@opentelemetry/api';

/**
 * The headers by which a backend's spans join ours: W3C Trace Context (Recommendation of 2021-11-23), whatever
 * propagator the application has; baggage stays here, since it may say more than a provider is to know.
 */
export function traceHeaders(span: SpanContext): Record<string, string> | undefined {
  if (!isSpanContextValid(span)) return undefined;
  const { traceId, spanId, traceFlags, traceState } = span;
  const tracestate = traceState?.serialize();
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    ...(tracestate ? { tracestate } : {}),
  };
}
