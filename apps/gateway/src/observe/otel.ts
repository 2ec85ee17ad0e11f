import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

/**
 * Sends spans and metrics by OTLP over HTTP, where OTEL_EXPORTER_OTLP_ENDPOINT, or one of its forms for a signal, says
 * whereto; else nothing happens. OTEL_SERVICE_NAME and the exporters' other variables hold as well.
 * @returns flushes and ends it
 */
export function startTelemetry(env: NodeJS.ProcessEnv): () => Promise<void> {
  const all = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const wantsTraces = all ?? env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  const wantsMetrics = all ?? env['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'];
  if ((!wantsTraces && !wantsMetrics) || env['OTEL_SDK_DISABLED'] === 'true') return async () => {};
  const resource = resourceFromAttributes({ 'service.name': env['OTEL_SERVICE_NAME'] ?? 'airframe-gateway' });
  const ends: (() => Promise<void>)[] = [];
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  if (wantsTraces) {
    const provider = new BasicTracerProvider({
      resource,
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
    });
    trace.setGlobalTracerProvider(provider);
    ends.push(() => provider.shutdown());
  }
  if (wantsMetrics) {
    const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() });
    const provider = new MeterProvider({ resource, readers: [reader] });
    metrics.setGlobalMeterProvider(provider);
    ends.push(() => provider.shutdown());
  }
  return async () => {
    // A collector that is away must not keep the process.
    await Promise.allSettled(ends.map(end => end()));
  };
}
