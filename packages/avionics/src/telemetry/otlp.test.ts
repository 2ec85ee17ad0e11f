import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { AirframeError } from '@x/airframe';
import { afterEach, expect, it } from 'vitest';
import { json, type ScriptedServer, scriptedServer } from '../../../../test/scripted-server.ts';
import { askThrough } from '../../test/telemetry-sdk.ts';
import { CostCalculator } from '../cost/calculator.ts';
import { MockProvider } from '../providers/mock.ts';
import { Telemetry } from './telemetry.ts';

/** As much of OTLP's JSON encoding (opentelemetry-proto 1.x) as is looked at. */
interface OtlpAttribute {
  key: string;
  value: { stringValue?: string; intValue?: number | string; doubleValue?: number };
}
interface OtlpSpan {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes: OtlpAttribute[];
  status: { code?: number };
}
interface OtlpPoint {
  attributes: OtlpAttribute[];
  count?: number | string;
  sum?: number;
  asDouble?: number;
  explicitBounds?: number[];
}
interface OtlpMetric {
  name: string;
  unit: string;
  histogram?: { dataPoints: OtlpPoint[] };
  sum?: { dataPoints: OtlpPoint[]; isMonotonic: boolean };
}

let receiver: ScriptedServer | undefined;
afterEach(async () => {
  await receiver?.close();
  receiver = undefined;
});

function received<T>(path: string, read: (body: never) => T[]): T[] {
  const posts = receiver?.seen.filter(seen => seen.path === path) ?? [];
  return posts.flatMap(({ body }) => read(body as never));
}

const spans = () =>
  received('/v1/traces', (body: { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[] }) =>
    body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(scope => scope.spans)),
  );

const metrics = () =>
  received('/v1/metrics', (body: { resourceMetrics: { scopeMetrics: { metrics: OtlpMetric[] }[] }[] }) =>
    body.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(scope => scope.metrics)),
  );

const plain = (attributes: OtlpAttribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

it('spans and metrics of two calls arrive at a collector over OTLP', async () => {
  receiver = await scriptedServer(json(200, {}));
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${receiver.url}/v1/traces` }))],
  });
  const meterProvider = new MeterProvider({
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({ url: `${receiver.url}/v1/metrics` }),
        exportIntervalMillis: 3_600_000,
      }),
    ],
  });
  const telemetry = new Telemetry({ tracerProvider, meterProvider });
  const costCalculator = new CostCalculator({ prices: { openai: { m: { prompt: 1, completion: 2 } } } });
  const usage = { promptTokens: 1_000, completionTokens: 500 };
  const openai = new MockProvider({
    name: 'openai',
    costCalculator,
    responses: [{ text: 'fine', usage }, new AirframeError('overloaded', 'busy')],
  });
  const local = new MockProvider({ name: 'llamaserver', responses: ['also fine'] });
  const request = { messages: [{ role: 'user' as const, content: 'how are you?' }] };
  const asks = [
    { provider: openai, model: 'm', baseUrl: 'https://api.openai.com/v1' },
    { provider: local, baseUrl: 'http://127.0.0.1:8080' },
  ];
  await askThrough(telemetry, asks, request);
  await askThrough(telemetry, asks, request);
  await Promise.all([tracerProvider.shutdown(), meterProvider.shutdown()]);

  const operations = spans().filter(span => span.kind === 1);
  const attempts = spans().filter(span => span.kind === 3);
  expect([operations.length, attempts.length]).toEqual([2, 3]);
  for (const { traceId, parentSpanId } of attempts) {
    expect(operations.map(span => [span.traceId, span.spanId])).toContainEqual([traceId, parentSpanId]);
  }
  expect(
    attempts.map(span => [plain(span.attributes)['gen_ai.provider.name'], span.status.code ?? 0]),
  ).toEqual([
    ['openai', 0],
    ['openai', 2],
    ['llama.cpp', 0],
  ]);
  expect(JSON.stringify(spans())).not.toContain('how are you?');

  const points = (name: string) => {
    const metric = metrics().find(metric => metric.name === name);
    return (metric?.histogram ?? metric?.sum)?.dataPoints ?? [];
  };
  const calls = points('gen_ai.client.operation.duration');
  expect(calls.reduce((sum, { count }) => sum + Number(count), 0)).toBe(3);
  expect(calls[0]?.explicitBounds).toHaveLength(14);
  expect(points('avionics.operation.duration').reduce((sum, { count }) => sum + Number(count), 0)).toBe(2);
  expect(points('gen_ai.client.token.usage').map(({ sum }) => sum)).toEqual(
    expect.arrayContaining([1_000, 500]),
  );
  const cost = points('avionics.client.cost').find(
    point => plain(point.attributes)['gen_ai.provider.name'] === 'openai',
  );
  expect(cost?.asDouble).toBeCloseTo(2, 9);
});
