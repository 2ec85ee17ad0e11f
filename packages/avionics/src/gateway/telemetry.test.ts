import { SpanStatusCode } from '@opentelemetry/api';
import { AirframeError } from '@x/airframe';
import { expect, it } from 'vitest';
import { pointsOf, telemetryWithSdk } from '../../test/telemetry-sdk.ts';
import { TestNodes } from '../../test/test-nodes.ts';
import { Limiter } from '../limits/limiter.ts';
import { MockProvider } from '../providers/mock.ts';
import { readSettings } from '../settings/settings.ts';
import { LLMGateway } from './gateway.ts';
import { mockedGateway, readAll } from './test-gateway.ts';

const failure = { error: new AirframeError('overloaded', 'busy') };

it('a fallback shows as two attempts below one operation, with what each cost', async () => {
  const { telemetry, spans, metric } = telemetryWithSdk();
  const usage = { promptTokens: 10, completionTokens: 5 };
  const { gateway } = mockedGateway(
    { main: [failure], backup: [{ chunks: ['a', 'b'], usage }] },
    { telemetry },
  );
  const { metadata, costUsd } = await gateway.complete({ prompt: 'Hi', agentName: 'planner' });
  expect(metadata.attempts).toHaveLength(2);
  const [first, second, operation] = spans();
  expect(spans()).toHaveLength(3);
  expect(first?.status.code).toBe(SpanStatusCode.ERROR);
  expect(first?.attributes).toMatchObject({ 'error.type': 'overloaded', 'avionics.attempt.number': 1 });
  expect(second?.attributes).toMatchObject({
    'avionics.fallback.from': 'main',
    'avionics.fallback.reason': 'overloaded',
    'gen_ai.usage.input_tokens': 10,
    'avionics.cost.usd': costUsd,
  });
  expect(operation?.attributes).toMatchObject({ 'avionics.attempts': 2, 'gen_ai.agent.name': 'planner' });
  expect(operation?.status.code).not.toBe(SpanStatusCode.ERROR);
  expect(pointsOf(await metric('avionics.client.cost')).reduce((sum, point) => sum + point.sum, 0)).toBe(
    costUsd,
  );
});

it('each piece of a stream is timed, whether it had to be waited for or lay there already', async () => {
  const { telemetry, metric } = telemetryWithSdk();
  const { gateway } = mockedGateway({ main: [{ chunks: ['a', 'b', 'c', 'd'] }] }, { telemetry });
  await readAll(gateway.completeStream({ prompt: 'Hi' }));
  const [point] = pointsOf(await metric('gen_ai.client.operation.time_per_output_chunk'));
  expect(point?.count).toBe(3);
});

it('every way a call can end closes its spans', async () => {
  const { telemetry, spans } = telemetryWithSdk();
  const script = [{ chunks: ['a', 'b'], error: new AirframeError('backend', 'x') }, { chunks: ['c', 'd'] }];
  const { gateway } = mockedGateway({ main: [...script, { chunks: ['e'] }] }, { telemetry });
  await readAll(gateway.completeStream({ prompt: 'breaks off' }));
  for await (const _ of gateway.completeStream({ prompt: 'left' })) break;
  await readAll(gateway.completeStream({ prompt: 'aborted', signal: AbortSignal.abort() }));
  const errors = spans()
    .filter(({ parentSpanContext }) => !parentSpanContext)
    .map(({ attributes }) => attributes['error.type']);
  expect(errors).toEqual(['backend', 'aborted', 'aborted']);
});

it('an answer from the cache, and a call that a limit kept back, have no attempts', async () => {
  const { telemetry, spans } = telemetryWithSdk();
  const limiter = new Limiter({ rules: [{ name: 'one', scope: 'all', window: 'day', requests: 1 }] });
  const { gateway } = mockedGateway({ main: ['Hi'] }, { telemetry, limiter, cache: { ttlMs: 60_000 } });
  await gateway.complete({ prompt: 'x' });
  await gateway.complete({ prompt: 'x' });
  await expect(gateway.complete({ prompt: 'y' })).rejects.toMatchObject({ code: 'limit_reached' });
  const [, made, cached, refused] = spans();
  expect(made?.attributes).toMatchObject({ 'avionics.cache': 'miss', 'avionics.attempts': 1 });
  expect(cached?.attributes).toMatchObject({ 'avionics.cache': 'hit', 'avionics.attempts': 0 });
  expect(refused?.attributes).toMatchObject({ 'avionics.limit.name': 'one', 'error.type': 'quota' });
});

it('the node, and why it was chosen, stand in the metadata and on the span; the node gets the trace', async () => {
  const nodes = new TestNodes();
  try {
    const servers = await nodes.servers(2, {}, {});
    const pool = nodes.pool(servers, {}, { tags: ['gpu'] });
    const { telemetry, spans } = telemetryWithSdk();
    const settings = readSettings({ DEPLOYMENT_MODE: 'distributed' });
    const gateway = new LLMGateway(settings, { nodes: pool, telemetry });
    nodes.later(() => gateway.close());
    const { metadata, text } = await gateway.complete({ prompt: 'Where are we?', nodeTags: ['gpu'] });
    expect(text).toBe('Hello world');
    const [route] = metadata.routes ?? [];
    expect(route).toMatchObject({ attempt: 1, reasons: { strategy: 'balanced', slots: 2 } });
    const [attempt] = spans();
    expect(attempt?.attributes).toMatchObject({
      'avionics.node.name': route?.node,
      'avionics.route.strategy': 'balanced',
    });
    const trace = attempt?.spanContext().traceId;
    expect(servers.flatMap(({ traces }) => traces)).toContainEqual(expect.stringContaining(String(trace)));
    await expect(gateway.complete({ prompt: 'x', nodeTags: ['tpu'] })).rejects.toMatchObject({
      category: 'not_found',
    });
  } finally {
    await nodes.close();
  }
});

it('a provider that throws where it should answer leaves no span open', async () => {
  class Broken extends MockProvider {
    override infer(): never {
      throw new Error('broken');
    }
  }
  const { telemetry, spans } = telemetryWithSdk();
  const providers = { llamaserver: new Broken(), backup: new MockProvider() };
  const { gateway } = mockedGateway({}, { telemetry, providers, fallbackProviders: ['backup'] });
  await gateway.complete({ prompt: 'x' });
  expect(spans().map(span => span.attributes['error.type'])).toEqual(['unknown', undefined, undefined]);
});
