import { metrics } from '@opentelemetry/api';
import { DataPointType } from '@opentelemetry/sdk-metrics';
import { AirframeError, type InferenceRequest } from '@x/airframe';
import { afterEach, describe, expect, it } from 'vitest';
import { askThrough, pointsOf, type TelemetrySdk, telemetryWithSdk } from '../../test/telemetry-sdk.ts';
import { CostCalculator } from '../cost/calculator.ts';
import { MockProvider, type MockProviderOptions } from '../providers/mock.ts';
import { METRICS } from './names.ts';
import { Telemetry } from './telemetry.ts';

const costCalculator = new CostCalculator({ prices: { openai: { 'gpt-x': { prompt: 1, completion: 10 } } } });
const openai = (options: MockProviderOptions = {}) => ({
  provider: new MockProvider({ name: 'openai', model: 'gpt-x-2026', costCalculator, ...options }),
  model: 'gpt-x',
  baseUrl: 'https://api.openai.com/v1',
});

const request: InferenceRequest = { messages: [{ role: 'user', content: 'What is 2+2?' }] };
const usage = { promptTokens: 100, completionTokens: 4 };
const answer = { chunks: ['4', ' is', ' it', '.'], usage };

const called = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'gpt-x',
  'server.address': 'api.openai.com',
  'server.port': 443,
};
const answered = { ...called, 'gen_ai.response.model': 'gpt-x-2026' };

/** Asks with 250 ms between two pieces of the answer. */
function ask(sdk: TelemetrySdk, ...asks: Parameters<typeof askThrough>[1]): Promise<void> {
  return askThrough(sdk.telemetry, asks, request, { agentName: 'planner' }, () => {
    sdk.time.ms += 250;
  });
}

afterEach(() => metrics.disable());

describe('the metrics of a call', () => {
  it('are its duration, the time to its first piece and between the others, and its tokens', async () => {
    const sdk = telemetryWithSdk();
    await ask(sdk, openai({ responses: [answer] }));
    const all = async (name: string) => pointsOf(await sdk.metric(name));
    expect(await all('gen_ai.client.operation.duration')).toEqual([
      { attributes: answered, count: 1, sum: 1 },
    ]);
    expect(await all('gen_ai.client.operation.time_to_first_chunk')).toEqual([
      { attributes: answered, count: 1, sum: 0.25 },
    ]);
    expect(await all('gen_ai.client.operation.time_per_output_chunk')).toEqual([
      { attributes: called, count: 3, sum: 0.75 },
    ]);
    expect(await all('gen_ai.client.token.usage')).toEqual([
      { attributes: { ...answered, 'gen_ai.token.type': 'input' }, count: 1, sum: 100 },
      { attributes: { ...answered, 'gen_ai.token.type': 'output' }, count: 1, sum: 4 },
    ]);
  });

  it('have the units and the boundaries of the conventions', async () => {
    const sdk = telemetryWithSdk();
    await ask(sdk, openai({ responses: [answer] }));
    const seconds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
    const tokens = [
      1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
    ];
    for (const [metric, unit, boundaries] of [
      ['duration', 's', seconds],
      ['timeToFirstChunk', 's', seconds],
      ['timePerChunk', 's', seconds],
      ['operation', 's', seconds],
      ['tokens', '{token}', tokens],
    ] as const) {
      const data = await sdk.metric(METRICS[metric].name);
      expect(data?.descriptor.unit).toBe(unit);
      if (data?.dataPointType !== DataPointType.HISTOGRAM) throw new Error(`${metric} is no histogram`);
      expect(data.dataPoints[0]?.value.buckets.boundaries).toEqual(boundaries);
    }
  });

  it('and its cost in USD are added up by provider, model and agent', async () => {
    const sdk = telemetryWithSdk();
    const { provider, model, baseUrl } = openai({ responses: [answer] });
    for (const _ of Array(3)) await ask(sdk, { provider, model, baseUrl });
    const each = 100 / 1_000 + (4 * 10) / 1_000;
    const metric = await sdk.metric('avionics.client.cost');
    expect(metric?.descriptor.unit).toBe('{USD}');
    expect(pointsOf(metric)).toEqual([
      {
        attributes: { ...answered, 'gen_ai.agent.name': 'planner' },
        count: 1,
        sum: expect.closeTo(3 * each, 9),
      },
    ]);
  });

  it('leave the cost out where no price is known', async () => {
    const sdk = telemetryWithSdk();
    await ask(sdk, { ...openai({ responses: [answer] }), model: 'gpt-unheard-of' });
    expect(await sdk.metric('avionics.client.cost')).toBeUndefined();
    expect(sdk.spans()[0]?.attributes['avionics.cost.priced']).toBe(false);
  });

  it('are told by the error where it failed, each attempt for itself and all of them together', async () => {
    const sdk = telemetryWithSdk();
    const failing = openai({ responses: [new AirframeError('overloaded', 'busy', { status: 503 })] });
    await ask(sdk, failing, { provider: new MockProvider({ responses: [answer] }), model: 'm' });
    expect(pointsOf(await sdk.metric('gen_ai.client.operation.duration'))).toMatchObject([
      { attributes: { ...called, 'error.type': 'overloaded' }, count: 1, sum: 0 },
      { attributes: { 'gen_ai.provider.name': 'mock' }, count: 1, sum: 1 },
    ]);
    expect(pointsOf(await sdk.metric('avionics.operation.duration'))).toEqual([
      {
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.request.model': 'gpt-x',
          'gen_ai.agent.name': 'planner',
        },
        count: 1,
        sum: 1,
      },
    ]);
  });

  it('do not count tokens that are only guessed, nor output tokens of embeddings', async () => {
    const sdk = telemetryWithSdk();
    const of = (operation: 'chat' | 'embeddings', source: 'reported' | 'estimated') => {
      const call = sdk.telemetry.operation({ operation, provider: 'openai' });
      const used = { promptTokens: 9, completionTokens: 0, totalTokens: 9, source };
      call.attempt({ provider: 'openai' }).ended({ usage: used });
      call.ended();
    };
    of('chat', 'estimated');
    of('embeddings', 'reported');
    expect(pointsOf(await sdk.metric('gen_ai.client.token.usage'))).toMatchObject([
      { attributes: { 'gen_ai.operation.name': 'embeddings', 'gen_ai.token.type': 'input' }, sum: 9 },
    ]);
    expect(sdk.spans()[0]?.attributes['avionics.usage.estimated']).toBe(true);
  });

  it('measure no pieces of an answer that is not streamed, nor where it is not wanted', async () => {
    for (const [options, info] of [
      [{}, { streamed: false }],
      [{ timePerChunk: false }, { streamed: true }],
    ] as const) {
      const sdk = telemetryWithSdk(options);
      await askThrough(sdk.telemetry, [openai({ responses: [answer] })], request, info);
      expect(await sdk.metric('gen_ai.client.operation.time_per_output_chunk')).toBeUndefined();
      const first = await sdk.metric('gen_ai.client.operation.time_to_first_chunk');
      expect(first !== undefined).toBe(info.streamed);
    }
  });

  it('hold no id, no prompt and no answer', async () => {
    const sdk = telemetryWithSdk({ captureContent: true });
    await ask(sdk, openai({ responses: [{ ...answer, chunks: ['the answer'] }] }));
    const [{ attributes } = { attributes: {} }] = sdk.spans();
    expect(attributes).toHaveProperty('gen_ai.input.messages');
    for (const { name } of Object.values(METRICS)) {
      const keys = pointsOf(await sdk.metric(name)).flatMap(point => Object.keys(point.attributes));
      for (const key of keys) expect(key).not.toMatch(/\.id$|messages|instructions|definitions/);
    }
  });

  it('begin when an SDK is registered, were it after the gateway was made', async () => {
    const telemetry = new Telemetry();
    await askThrough(telemetry, [openai({ responses: [answer] })], request);
    const sdk = telemetryWithSdk();
    metrics.setGlobalMeterProvider(sdk.meterProvider);
    await askThrough(telemetry, [openai({ responses: [answer] })], request);
    expect(pointsOf(await sdk.metric('gen_ai.client.operation.duration'))).toMatchObject([{ count: 1 }]);
  });
});
