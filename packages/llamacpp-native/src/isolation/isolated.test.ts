import { deserialize, serialize } from 'node:v8';
import {
  type Adapter,
  type AdapterDefinition,
  AirframeError,
  collect,
  defineAdapter,
  type EndpointSpec,
  type InferenceStreamEvent,
} from '@x/airframe';
import { describe, expect, it } from 'vitest';
import type { LlamaCppExtra } from '../request.ts';
import { ChildCalls } from './child-calls.ts';
import { withIsolation } from './isolated.ts';
import { Outbox } from './outbox.ts';
import type { Report } from './protocol.ts';
import { ServedCalls } from './served-calls.ts';

type Definition = AdapterDefinition<LlamaCppExtra>;

const endpoint: EndpointSpec = {
  name: 'apart',
  backendKind: 'llamacpp_native',
  baseUrl: 'file:///model.gguf',
  apiKey: 'sk-secret',
  timeouts: { idleMs: 40 },
  options: { isolation: 'process', threads: 2 },
};
const usage = { promptTokens: 1, completionTokens: 0, totalTokens: 1, source: 'reported' as const };
const capabilities = {
  streaming: true,
  rawPrompt: true,
  tools: true,
  images: false,
  reasoning: true,
  jsonSchema: true,
  seed: true,
};

/** Both sides in this process, with what they say put into bytes and back. */
function apart(inChild: Partial<Definition>): Adapter<LlamaCppExtra> {
  const definition: Definition = {
    kind: 'llamacpp_native',
    capabilities,
    infer: () => {
      throw new AirframeError('unknown', 'not here');
    },
    ...inChild,
  };
  const sent = <T>(message: T): T => deserialize(serialize(message));
  const outbox = new Outbox(reports => {
    for (const report of sent(reports)) calls.receive(report as Exclude<Report, { type: 'callback' }>);
  });
  const served = new ServedCalls(definition, outbox);
  const calls = new ChildCalls(
    order => {
      if (order.type !== 'start' && order.type !== 'close') served.receive(sent(order));
    },
    () => {},
  );
  const child = {
    running: true,
    call: calls.open.bind(calls),
    close: () => served.close(),
  };
  return defineAdapter(withIsolation(definition, child));
}

const rest = (stream: AsyncIterable<InferenceStreamEvent>) => collect(stream, { throwOnError: false });
const forever = () => new Promise<never>(() => {});

describe('an isolated call', () => {
  it('brings all that the definition writes', async () => {
    const adapter = apart({
      async *infer(_call, reply) {
        reply.identify({ model: 'm', responseId: 'r' });
        reply.reasoning('hm', 'signed');
        reply.usage({ promptTokens: 3, cachedTokens: 2 });
        reply.text('a');
        yield;
        reply.toolCall({ index: 0, id: 'c', name: 'f', arguments: '{"x"' });
        yield;
        reply.toolCall({ index: 0, arguments: ':1}', signature: 's' });
        reply.usage({ completionTokens: 5, reasoningTokens: 1 });
        reply.timings({ promptMs: 7 });
        reply.rateLimits({ requests: { remaining: 1 } });
        reply.finish('stop');
        yield;
      },
    });
    expect(await collect(adapter.streamInfer(endpoint, { prompt: 'x' }))).toMatchObject({
      text: 'a',
      message: { reasoning: [{ text: 'hm', signature: 'signed' }] },
      toolCalls: [{ id: 'c', name: 'f', input: { x: 1 }, signature: 's' }],
      finishReason: 'tool_calls',
      model: 'm',
      responseId: 'r',
      rateLimits: { requests: { remaining: 1 } },
      usage: {
        promptTokens: 3,
        cachedTokens: 2,
        completionTokens: 5,
        reasoningTokens: 1,
        source: 'reported',
      },
      timings: { promptMs: 7 },
    });
  });

  it('goes without keys and clocks, and is isolated no further', async () => {
    let seen: EndpointSpec | undefined;
    const adapter = apart({
      async *infer(call, reply) {
        seen = call.endpoint;
        reply.finish('stop');
        yield;
      },
    });
    await collect(adapter.streamInfer(endpoint, { prompt: 'x' }));
    expect(seen).toMatchObject({ name: 'apart', options: { isolation: 'none', threads: 2 } });
    expect(JSON.stringify(seen)).not.toContain('sk-secret');
    expect(seen?.timeouts).toMatchObject({ idleMs: 0, totalMs: 0 });
  });

  it('is truncated when the definition never says how it ended', async () => {
    const adapter = apart({
      async *infer(_call, reply) {
        reply.text('a');
        yield;
      },
    });
    const { text, error, finishReason } = await rest(adapter.streamInfer(endpoint, { prompt: 'x' }));
    expect({ text, finishReason, code: error?.code }).toEqual({
      text: 'a',
      finishReason: 'truncated',
      code: 'truncated',
    });
  });

  it('fails as the definition fails, after what came before', async () => {
    const facts = { code: 'c', retryAfterMs: 5, retryable: true, raw: 'r', remedy: 'do', promptTokens: 9 };
    const adapter = apart({
      async *infer(_call, reply) {
        reply.text('a');
        yield;
        throw new AirframeError('overloaded', 'busy', { ...facts, cause: new Error('inner') });
      },
    });
    const { text, error } = await rest(adapter.streamInfer(endpoint, { prompt: 'x' }));
    expect(text).toBe('a');
    expect(error).toMatchObject({ category: 'overloaded', message: 'busy; do', ...facts });
    expect(error?.cause).toBeUndefined();
  });

  it('is timed by the clock that the definition has entered', async () => {
    const adapter = apart({
      async *infer({ deadlines }, reply) {
        deadlines.enter('idle');
        reply.usage({ completionTokens: 0, promptTokens: 4 });
        await forever();
        yield;
      },
    });
    const { error, usage } = await rest(adapter.streamInfer(endpoint, { prompt: 'x' }));
    expect(error?.code).toBe('idle_timeout');
    expect(usage).toMatchObject({ promptTokens: 4, source: 'reported' });
  });

  it('tells the definition at once that it was given up', async () => {
    let aborted = false;
    const adapter = apart({
      async *infer({ signal }, reply) {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        reply.text('a');
        yield;
        await forever();
      },
    });
    const stream = adapter.streamInfer(endpoint, { prompt: 'x' });
    await stream.next();
    await stream.return?.();
    expect(aborted).toBe(true);
  });
});

describe('the other operations', () => {
  it('are there when the definition has them', () => {
    expect(apart({}).capabilities).toMatchObject({
      embed: false,
      countTokens: false,
      listModels: false,
      health: false,
    });
  });

  it('are answered by the child', async () => {
    const adapter = apart({
      health: async () => 'loading',
      embed: async ({ request }) => ({ embeddings: [[request.input.length]], usage }),
      countTokens: async () => ({ tokens: 3, exact: true }),
      listModels: async ({ name }) => [{ id: name }],
    });
    expect((await adapter.health(endpoint)).state).toBe('loading');
    expect(await adapter.embed?.(endpoint, { input: 'four' })).toEqual({ embeddings: [[4]], usage });
    expect(await adapter.countTokens?.(endpoint, { prompt: 'x' })).toEqual({ tokens: 3, exact: true });
    expect(await adapter.listModels?.(endpoint)).toEqual([{ id: 'apart' }]);
  });

  it('fail as they fail there', async () => {
    const fail = async () => {
      throw new AirframeError('not_found', 'no such model', { code: 'gone' });
    };
    const adapter = apart({ health: fail, embed: fail });
    expect(await adapter.health(endpoint)).toMatchObject({ state: 'unhealthy', reason: 'no such model' });
    await expect(adapter.embed?.(endpoint, { input: 'x' })).rejects.toMatchObject({
      category: 'not_found',
      code: 'gone',
    });
  });

  it('end when they are aborted', async () => {
    const adapter = apart({ embed: forever });
    const options = { signal: AbortSignal.timeout(10) };
    await expect(adapter.embed?.(endpoint, { input: 'x' }, options)).rejects.toMatchObject({
      category: 'aborted',
    });
  });
});
