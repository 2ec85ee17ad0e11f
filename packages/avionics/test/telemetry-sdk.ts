import { SpanKind } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { AirframeError, InferenceRequest } from '@x/airframe';
import { isOutput } from '@x/airframe';
import type { LLMProvider } from '../src/providers/base.ts';
import type { AttemptInfo, OperationInfo, OperationTelemetry } from '../src/telemetry/operation.ts';
import { Telemetry, type TelemetryOptions } from '../src/telemetry/telemetry.ts';

export interface TelemetrySdk {
  telemetry: Telemetry;
  /** What the telemetry's clock shows. */
  time: { ms: number };
  tracerProvider: BasicTracerProvider;
  meterProvider: MeterProvider;
  /** Finished spans, the operation's last. */
  spans(): ReadableSpan[];
  /** The metric of this name as it stands now. */
  metric(name: string): Promise<MetricData | undefined>;
}

/** The real SDK, keeping what it is told in memory, and a telemetry that writes to it by a clock set by hand. */
export function telemetryWithSdk(options: TelemetryOptions & { sampler?: Sampler } = {}): TelemetrySdk {
  const { sampler, ...rest } = options;
  const spanExporter = new InMemorySpanExporter();
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(spanExporter)],
    ...(sampler ? { sampler } : {}),
  });
  // Exported when asked for: nobody waits a whole hour.
  const reader = new PeriodicExportingMetricReader({
    exporter: metricExporter,
    exportIntervalMillis: 3_600_000,
  });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const time = { ms: 0 };
  const telemetry = new Telemetry({ tracerProvider, meterProvider, clock: () => time.ms, ...rest });
  return {
    telemetry,
    time,
    tracerProvider,
    meterProvider,
    spans: () => spanExporter.getFinishedSpans(),
    metric: async name => {
      metricExporter.reset();
      await meterProvider.forceFlush();
      const scopes = metricExporter.getMetrics().at(-1)?.scopeMetrics ?? [];
      return scopes.flatMap(({ metrics }) => metrics).find(({ descriptor }) => descriptor.name === name);
    },
  };
}

/** The points of a metric, as plain values. */
export function pointsOf(
  metric: MetricData | undefined,
): { attributes: object; count: number; sum: number }[] {
  if (metric?.dataPointType === DataPointType.HISTOGRAM) {
    return metric.dataPoints.map(({ attributes, value }: DataPoint<Histogram>) => ({
      attributes,
      count: value.count,
      sum: value.sum ?? 0,
    }));
  }
  if (metric?.dataPointType === DataPointType.SUM) {
    return metric.dataPoints.map(({ attributes, value }) => ({ attributes, count: 1, sum: value }));
  }
  return [];
}

/** Kind, name and attributes of a span: what a backend shows first. */
export function shown({ name, kind, attributes }: ReadableSpan): object {
  return { name, kind: SpanKind[kind], attributes };
}

export interface Ask {
  provider: LLMProvider;
  model?: string;
  baseUrl?: string;
}

/** Asks one provider after the other, as the gateway does, until one answers. */
export async function askThrough(
  telemetry: Telemetry,
  asks: Ask[],
  request: InferenceRequest,
  info: Partial<OperationInfo> = {},
  onChunk: () => void = () => {},
): Promise<void> {
  const [first] = asks;
  const operation = telemetry.operation({
    operation: 'chat',
    provider: first?.provider.name ?? '',
    model: first?.model,
    streamed: true,
    request,
    ...info,
  });
  let error: AirframeError | undefined;
  for (const ask of asks) {
    error = await askOne(operation, ask, request, onChunk);
    if (!error) break;
  }
  operation.ended({ error });
}

async function askOne(
  operation: OperationTelemetry,
  { provider, model, baseUrl }: Ask,
  request: InferenceRequest,
  onChunk: () => void,
): Promise<AirframeError | undefined> {
  const prepared = provider.prepare(model === undefined ? request : { ...request, model });
  const info: AttemptInfo = { provider: provider.name, model, baseUrl, request: prepared };
  const attempt = operation.attempt(info);
  const headers = attempt.headers();
  const stream = provider.infer(prepared, headers ? { headers } : {});
  let error: AirframeError | undefined;
  let message: Parameters<typeof attempt.ended>[0] = {};
  for await (const event of stream) {
    if (isOutput(event)) {
      onChunk();
      attempt.chunk();
    } else if (event.type === 'message') message = { message: event.message };
    else if (event.type === 'error') error = event.error;
    else if (event.type === 'done') {
      attempt.ended({ ...event, ...message, error, cost: provider.costOf(model, event) });
    }
  }
  return error;
}
