import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Logger as Pino } from 'pino';
import { VERSION } from '../version.ts';
import { withinMs } from '../within.ts';

/** Longest that a collector which is away may hold up the end of the process, in milliseconds. */
const MAX_FLUSH_MS = 3_000;

/**
 * Sends spans and metrics by OTLP over HTTP, in JSON, where OTEL_EXPORTER_OTLP_ENDPOINT, or one of its forms for a signal,
 * says whereto; else nothing happens. The SDK's other variables hold as well: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES,
 * OTEL_TRACES_SAMPLER, OTEL_TRACES_EXPORTER=none, OTEL_METRICS_EXPORTER=none, OTEL_METRIC_EXPORT_INTERVAL …
 * @param log is told when a collector is away, and when it is back
 * @returns sends what is left, and ends it within 3 s
 */
export function startTelemetry(env: NodeJS.ProcessEnv, log: Pino): () => Promise<void> {
  if (env['OTEL_SDK_DISABLED'] === 'true') return async () => {};
  const wants = (signal: 'TRACES' | 'METRICS') =>
    env[`OTEL_${signal}_EXPORTER`] !== 'none' &&
    Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]);
  const resource = resourceFromAttributes({
    'service.name': 'airframe-gateway',
    'service.version': VERSION,
  }).merge(detectResources({ detectors: [serviceInstanceIdDetector, envDetector] }));
  const ends = [
    ...(wants('TRACES') ? [startTraces(resource, log)] : []),
    ...(wants('METRICS') ? [startMetrics(resource, env, log)] : []),
  ];
  return async () => {
    await withinMs(Promise.allSettled(ends.map(end => end())), MAX_FLUSH_MS);
  };
}

function startTraces(resource: Resource, log: Pino): () => Promise<void> {
  const exporter = told(new OTLPTraceExporter(), 'spans', log);
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
  // The client's trace goes by it from the request to the first span.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  trace.setGlobalTracerProvider(provider);
  return () => provider.shutdown();
}

function startMetrics(resource: Resource, env: NodeJS.ProcessEnv, log: Pino): () => Promise<void> {
  const intervalMs = Number(env['OTEL_METRIC_EXPORT_INTERVAL']) || 60_000;
  const reader = new PeriodicExportingMetricReader({
    exporter: told(new OTLPMetricExporter(), 'metrics', log),
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(intervalMs, 30_000),
  });
  const provider = new MeterProvider({ resource, readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  return () => provider.shutdown();
}

/** One line when a collector goes away, and one when it is back; the SDK itself says nothing. */
function told<Items, Exporter extends Exporting<Items>>(
  exporter: Exporter & Exporting<Items>,
  what: string,
  log: Pino,
): Exporter {
  const send = exporter.export.bind(exporter);
  let isAway = false;
  exporter.export = (items, done) =>
    send(items, result => {
      const failed = result.code !== 0;
      if (failed && !isAway) {
        const { message = 'unknown' } = result.error ?? {};
        log.warn({ reason: message }, `${what} cannot be sent; those of this time are lost`);
      } else if (isAway && !failed) log.info(`${what} are sent again`);
      isAway = failed;
      done(result);
    });
  return exporter;
}

/** As the SDK's core, which is no package of ours, has it. */
interface Exporting<Items> {
  export(items: Items, done: (result: { code: number; error?: Error }) => void): void;
}
