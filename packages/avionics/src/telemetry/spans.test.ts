import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace-base';
import { AirframeError, type InferenceRequest } from '@x/airframe';
import { afterEach, describe, expect, it } from 'vitest';
import { askThrough, shown, telemetryWithSdk } from '../../test/telemetry-sdk.ts';
import { CostCalculator } from '../cost/calculator.ts';
import { MockProvider, type MockProviderOptions } from '../providers/mock.ts';
import { Telemetry } from './telemetry.ts';

const costCalculator = new CostCalculator({ prices: { openai: { 'gpt-x': { prompt: 1, completion: 10 } } } });
const openai = (options: MockProviderOptions = {}) => ({
  provider: new MockProvider({ name: 'openai', model: 'gpt-x-2026', costCalculator, ...options }),
  model: 'gpt-x',
  baseUrl: 'https://api.openai.com/v1',
});
const llama = (options: MockProviderOptions = {}) => ({
  provider: new MockProvider({ name: 'llamaserver', model: 'pilot', ...options }),
  baseUrl: 'http://127.0.0.1:8080',
});

const request: InferenceRequest = { messages: [{ role: 'user', content: 'What is 2+2?' }] };
const usage = {
  promptTokens: 100,
  completionTokens: 8,
  cachedTokens: 60,
  cacheWriteTokens: 20,
  reasoningTokens: 3,
};

afterEach(() => {
  context.disable();
  trace.disable();
});

describe('the span of an operation', () => {
  it('has those of its attempts below it, under the names of the conventions', async () => {
    const sdk = telemetryWithSdk();
    await askThrough(sdk.telemetry, [openai({ responses: [{ chunks: ['4', '.'], usage }] })], request, {
      agentName: 'planner',
    });
    const [attempt, operation] = sdk.spans();
    expect(attempt?.parentSpanContext?.spanId).toBe(operation?.spanContext().spanId);
    expect(operation?.parentSpanContext).toBeUndefined();
    expect(attempt && shown(attempt)).toEqual({
      name: 'chat gpt-x',
      kind: 'CLIENT',
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.agent.name': 'planner',
        'gen_ai.request.model': 'gpt-x',
        'gen_ai.request.stream': true,
        'server.address': 'api.openai.com',
        'server.port': 443,
        'gen_ai.response.model': 'gpt-x-2026',
        'gen_ai.response.finish_reasons': ['stop'],
        'gen_ai.response.time_to_first_chunk': 0,
        'gen_ai.usage.input_tokens': 100,
        'gen_ai.usage.output_tokens': 8,
        'gen_ai.usage.cache_read.input_tokens': 60,
        'gen_ai.usage.cache_creation.input_tokens': 20,
        'gen_ai.usage.reasoning.output_tokens': 3,
        'avionics.provider.type': 'openai',
        'avionics.attempt.number': 1,
        'avionics.cost.usd': expect.any(Number),
        'avionics.cost.priced': true,
      },
    });
    expect(operation && shown(operation)).toEqual({
      name: 'chat gpt-x',
      kind: 'INTERNAL',
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.agent.name': 'planner',
        'gen_ai.request.model': 'gpt-x',
        'gen_ai.request.stream': true,
        'gen_ai.response.model': 'gpt-x-2026',
        'gen_ai.response.finish_reasons': ['stop'],
        'gen_ai.response.time_to_first_chunk': 0,
        'avionics.attempts': 1,
        'avionics.cost.usd': attempt?.attributes['avionics.cost.usd'],
        'avionics.cost.priced': true,
      },
    });
  });

  it('is a child of the span that is active where the call is made', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const sdk = telemetryWithSdk();
    const caller = sdk.tracerProvider.getTracer('app').startSpan('POST /chat');
    await context.with(trace.setSpan(context.active(), caller), () =>
      askThrough(sdk.telemetry, [llama()], request),
    );
    expect(sdk.spans()[1]?.parentSpanContext?.spanId).toBe(caller.spanContext().spanId);
  });

  it('and that of an attempt can be made the active one', () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const sdk = telemetryWithSdk();
    const operation = sdk.telemetry.operation({ operation: 'chat', provider: 'mock' });
    const attempt = operation.attempt({ provider: 'mock' });
    const inside = [operation.run(() => trace.getActiveSpan()), attempt.run(() => trace.getActiveSpan())];
    attempt.ended();
    operation.ended();
    const ids = inside.map(span => span?.spanContext().spanId);
    expect(ids).toEqual(
      sdk
        .spans()
        .map(span => span.spanContext().spanId)
        .reverse(),
    );
  });

  it('shows samplers what they decide by: it is there at the start', async () => {
    const seen: object[] = [];
    const sampler: Sampler = {
      shouldSample: (_context, _traceId, _name, _kind, attributes) => {
        seen.push({ ...attributes });
        return { decision: SamplingDecision.RECORD_AND_SAMPLED };
      },
      toString: () => 'looks',
    };
    await askThrough(telemetryWithSdk({ sampler }).telemetry, [openai()], request);
    const identity = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-x',
    };
    expect(seen).toEqual([identity, { ...identity, 'server.address': 'api.openai.com', 'server.port': 443 }]);
  });

  it('of embeddings has their name, their dimensions and no output tokens to speak of', () => {
    const sdk = telemetryWithSdk();
    const asked = { input: 'secret text', dimensions: 256 };
    const operation = sdk.telemetry.operation({ operation: 'embeddings', provider: 'openai', model: 'e1' });
    const attempt = operation.attempt({ provider: 'openai', model: 'e1', request: asked });
    attempt.ended({ usage: { promptTokens: 3, completionTokens: 0, totalTokens: 3, source: 'reported' } });
    operation.ended();
    const [span] = sdk.spans();
    expect(span?.name).toBe('embeddings e1');
    expect(span?.attributes).toMatchObject({
      'gen_ai.operation.name': 'embeddings',
      'gen_ai.embeddings.dimension.count': 256,
      'gen_ai.usage.input_tokens': 3,
    });
    expect(JSON.stringify(span?.attributes)).not.toContain('secret text');
  });

  it('is closed once, whatever is called afterwards', () => {
    const sdk = telemetryWithSdk();
    const operation = sdk.telemetry.operation({ operation: 'chat', provider: 'mock' });
    const attempt = operation.attempt({ provider: 'mock' });
    attempt.ended();
    attempt.ended({ error: new AirframeError('timeout', 'late') });
    operation.ended();
    operation.ended();
    expect(sdk.spans()).toHaveLength(2);
    expect(sdk.spans()[0]?.attributes).not.toHaveProperty('error.type');
  });
});

describe('without an SDK', () => {
  it('nothing is done for a call: not even the time is asked for', async () => {
    const clock = () => {
      throw new Error('nobody wants to know');
    };
    await askThrough(new Telemetry({ clock }), [openai()], request);
  });

  it('a telemetry waits for one: calls show up from the moment it is registered', async () => {
    const telemetry = new Telemetry();
    await askThrough(telemetry, [openai()], request);
    const sdk = telemetryWithSdk();
    trace.setGlobalTracerProvider(sdk.tracerProvider);
    await askThrough(telemetry, [openai()], request);
    expect(sdk.spans()).toHaveLength(2);
  });
});

describe('the span of an attempt', () => {
  it('says what was asked for, the provider’s own defaults included', async () => {
    const sdk = telemetryWithSdk();
    const asked: InferenceRequest = {
      ...request,
      temperature: 0.2,
      topP: 0.9,
      maxTokens: 64,
      seed: 7,
      stop: ['END'],
      serviceTier: 'flex',
      responseFormat: { type: 'json' },
      extra: { top_k: 40, frequency_penalty: 0.5, presence_penalty: 0.25, n: 1, api_key: 'never' },
    };
    await askThrough(sdk.telemetry, [openai()], asked);
    expect(sdk.spans()[0]?.attributes).toMatchObject({
      'gen_ai.request.temperature': 0.2,
      'gen_ai.request.top_p': 0.9,
      'gen_ai.request.max_tokens': 64,
      'gen_ai.request.seed': 7,
      'gen_ai.request.stop_sequences': ['END'],
      'gen_ai.request.top_k': 40,
      'gen_ai.request.frequency_penalty': 0.5,
      'gen_ai.request.presence_penalty': 0.25,
      'gen_ai.output.type': 'json',
      'openai.request.service_tier': 'flex',
    });
    expect(sdk.spans()[0]?.attributes).not.toHaveProperty('gen_ai.request.choice.count');
    expect(JSON.stringify(sdk.spans()[0]?.attributes)).not.toContain('never');
  });

  it('is INTERNAL and has no server where the model runs in this process', async () => {
    const sdk = telemetryWithSdk();
    await askThrough(sdk.telemetry, [{ ...llama(), baseUrl: 'file:///models/pilot.gguf' }], request);
    const [span] = sdk.spans();
    expect(span && shown(span)).toMatchObject({ name: 'chat', kind: 'INTERNAL' });
    expect(span?.attributes).toMatchObject({ 'gen_ai.provider.name': 'llama.cpp' });
    expect(span?.attributes).not.toHaveProperty('server.address');
  });

  it.each([
    ['llamaserver', 'llama.cpp'],
    ['llamacpp', 'llama.cpp'],
    ['openai', 'openai'],
    ['anthropic', 'anthropic'],
    ['azure', 'azure.ai.openai'],
    ['mistral', 'mistral_ai'],
    ['my-own', 'my-own'],
  ])('calls provider %s %s', async (name, expected) => {
    const sdk = telemetryWithSdk();
    await askThrough(sdk.telemetry, [{ provider: new MockProvider({ name }) }], request);
    expect(sdk.spans().map(span => span.attributes['gen_ai.provider.name'])).toEqual([expected, expected]);
  });

  it('after a failed one is a fallback and says from where and why', async () => {
    const sdk = telemetryWithSdk();
    const busy = new AirframeError('rate_limit', 'slow down, What is 2+2?', {
      status: 429,
      code: 'slow_down',
    });
    await askThrough(sdk.telemetry, [openai({ responses: [busy] }), llama()], request);
    const [failed, answered, operation] = sdk.spans();
    expect(failed?.attributes).toMatchObject({
      'error.type': 'rate_limit',
      'http.response.status_code': 429,
      'gen_ai.response.finish_reasons': ['error'],
    });
    expect(failed?.status).toEqual({
      code: SpanStatusCode.ERROR,
      message: 'rate_limit, status 429, slow_down',
    });
    expect(answered?.attributes).toMatchObject({
      'gen_ai.provider.name': 'llama.cpp',
      'avionics.attempt.number': 2,
      'avionics.fallback.from': 'openai',
      'avionics.fallback.reason': 'rate_limit',
    });
    expect(operation?.attributes).toMatchObject({
      'gen_ai.provider.name': 'llama.cpp',
      'avionics.attempts': 2,
    });
    expect(operation?.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('keeps the tokens and the cost of an answer that broke off', async () => {
    const sdk = telemetryWithSdk();
    const broken = { chunks: ['4', '2'], usage, error: new AirframeError('connection', 'gone') };
    await askThrough(sdk.telemetry, [openai({ responses: [broken] })], request);
    const [attempt, operation] = sdk.spans();
    expect(attempt?.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 100,
      'error.type': 'connection',
    });
    expect(attempt?.attributes['avionics.cost.usd']).toBeGreaterThan(0);
    expect(operation?.attributes['avionics.cost.usd']).toBe(attempt?.attributes['avionics.cost.usd']);
    expect(operation?.status.code).toBe(SpanStatusCode.ERROR);
  });

  it('of a call that its caller gave up has an error.type, and yet is no failure', () => {
    const sdk = telemetryWithSdk();
    const error = new AirframeError('aborted', 'the consumer left the stream');
    const operation = sdk.telemetry.operation({ operation: 'chat', provider: 'mock' });
    operation.attempt({ provider: 'mock' }).ended({ error, finishReason: 'aborted' });
    operation.ended({ error });
    for (const { attributes, status } of sdk.spans()) {
      expect(attributes).toMatchObject({
        'error.type': 'aborted',
        'gen_ai.response.finish_reasons': ['aborted'],
      });
      expect(status.code).toBe(SpanStatusCode.UNSET);
    }
  });

  it('counts what the transport sent again', () => {
    const sdk = telemetryWithSdk();
    const tried = {
      number: 1,
      endpoint: 'here',
      startedAt: 0,
      durationMs: 1,
      outcome: 'ok' as const,
      status: 200,
    };
    const operation = sdk.telemetry.operation({ operation: 'chat', provider: 'mock' });
    operation.attempt({ provider: 'mock' }).ended({ attempts: [tried, tried, tried] });
    operation.ended();
    expect(sdk.spans()[0]?.attributes).toMatchObject({
      'avionics.attempt.retries': 2,
      'http.response.status_code': 200,
    });
  });

  it('names the node and the reasons it was chosen for, each choice being an event', () => {
    const sdk = telemetryWithSdk();
    const operation = sdk.telemetry.operation({ operation: 'chat', provider: 'llamaserver' });
    const attempt = operation.attempt({ provider: 'llamaserver' });
    attempt.routed({
      node: 'a',
      baseUrl: 'http://10.0.0.1:8080',
      reasons: { why: 'prefix', cachedTokens: 900 },
    });
    attempt.routed({
      node: 'b',
      baseUrl: 'http://[::1]:8081',
      reasons: { why: 'load', cachedTokens: 0, waitedMs: 4 },
    });
    attempt.ended();
    operation.ended();
    const [span] = sdk.spans();
    expect(span?.attributes).toMatchObject({
      'avionics.node.name': 'b',
      'avionics.route.why': 'load',
      'avionics.route.cached_tokens': 0,
      'avionics.route.waited_ms': 4,
      'server.address': '::1',
      'server.port': 8081,
    });
    expect(span?.events.map(({ name, attributes }) => [name, attributes?.['avionics.node.name']])).toEqual([
      ['avionics.route', 'a'],
      ['avionics.route', 'b'],
    ]);
  });

  it('and that of the operation take facts that become known on the way', () => {
    const sdk = telemetryWithSdk();
    const operation = sdk.telemetry.operation({ operation: 'chat', provider: 'openai' });
    operation.attempt({ provider: 'openai' }).annotate({ breaker: 'half_open' });
    operation.annotate({ cache: 'hit', savedUsd: 0.02, skipped: ['anthropic'], limit: undefined });
    operation.ended({ error: new AirframeError('quota', 'the budget is used up', { code: 'budget' }) });
    expect(sdk.spans()[0]?.attributes).toMatchObject({
      'avionics.cache': 'hit',
      'avionics.cache.saved_usd': 0.02,
      'avionics.breaker.skipped': ['anthropic'],
      'error.type': 'quota',
    });
    expect(sdk.spans()[0]?.attributes).not.toHaveProperty('avionics.limit.name');
  });
});
