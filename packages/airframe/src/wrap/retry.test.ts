import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { json, type Script, type ScriptedServer, scriptedServer } from '../../../../test/scripted-server.ts';
import { type Adapter, type Capabilities, defineAdapter } from '../adapter.ts';
import { openAIChatAdapter } from '../adapters/openai-chat/index.ts';
import { openAIResponsesAdapter } from '../adapters/openai-responses/index.ts';
import type { EndpointSpec } from '../endpoint.ts';
import { AirframeError, type AirframeErrorOptions, type ErrorCategory } from '../errors.ts';
import type { InferenceStreamEvent } from '../events.ts';
import { withRetry } from './retry.ts';

const endpoint: EndpointSpec = { name: 'here', backendKind: 'test', baseUrl: 'http://127.0.0.1:1' };
const request = { prompt: 'hi' };
const fast = { baseDelayMs: 1 };

type Try = { fails?: ErrorCategory; options?: AirframeErrorOptions; afterText?: boolean };

/** An adapter whose n-th call goes as the n-th entry says. */
function scripted(...tries: Try[]): Adapter & { calls: number } {
  const state = { calls: 0 };
  const adapter = defineAdapter({
    kind: 'test',
    capabilities: {} as Capabilities,
    health: async () => 'healthy',
    async *infer(_call, reply) {
      const { fails, options, afterText } = tries[state.calls++] ?? {};
      if (!fails || afterText) {
        reply.text('ok');
        yield;
      }
      if (fails) throw new AirframeError(fails, `failed: ${fails}`, options);
      reply.finish('stop');
    },
  });
  return Object.assign(state, adapter);
}

async function all(stream: AsyncIterable<InferenceStreamEvent>): Promise<InferenceStreamEvent[]> {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

describe('withRetry', () => {
  it('tries again before the first output and logs every try on done', async () => {
    const adapter = scripted({ fails: 'overloaded' }, { fails: 'connection' }, {});
    const events = await all(withRetry(adapter, fast).streamInfer(endpoint, request));
    expect(events.map(event => event.type)).toEqual(['token', 'message', 'done']);
    expect(events.at(-1)).toMatchObject({
      attempts: [
        { number: 1, outcome: 'overloaded', waitedMs: expect.any(Number) },
        { number: 2, outcome: 'connection', waitedMs: expect.any(Number) },
        { number: 3, outcome: 'ok' },
      ],
    });
  });

  it('never tries again after the first output', async () => {
    const adapter = scripted({ fails: 'connection', afterText: true }, {});
    const events = await all(withRetry(adapter, fast).streamInfer(endpoint, request));
    expect(events.map(event => event.type)).toEqual(['token', 'error', 'done']);
    expect(adapter.calls).toBe(1);
  });

  it('does not try again what cannot get better', async () => {
    const adapter = scripted({ fails: 'auth' }, {});
    await all(withRetry(adapter, fast).streamInfer(endpoint, request));
    expect(adapter.calls).toBe(1);
  });

  it('gives up after maxRetries, with the whole log on error and done', async () => {
    const adapter = scripted(...Array<Try>(9).fill({ fails: 'overloaded' }));
    const events = await all(withRetry(adapter, { ...fast, maxRetries: 2 }).streamInfer(endpoint, request));
    expect(adapter.calls).toBe(3);
    expect(events).toMatchObject([
      { type: 'error', error: { category: 'overloaded', attempts: { length: 3 } } },
      { type: 'done', finishReason: 'error', attempts: { length: 3 } },
    ]);
  });

  it('waits as long as the backend asks', async () => {
    const adapter = scripted({ fails: 'rate_limit', options: { retryAfterMs: 30 } }, {});
    const events = await all(withRetry(adapter, fast).streamInfer(endpoint, request));
    expect(events.at(-1)).toMatchObject({ attempts: [{ waitedMs: 30 }, { outcome: 'ok' }] });
  });

  it('gives up at once when the backend asks for a longer wait than the deadline leaves', async () => {
    const adapter = scripted({ fails: 'rate_limit', options: { retryAfterMs: 5_000 } }, {});
    await all(withRetry(adapter, fast).streamInfer(endpoint, request, { timeouts: { totalMs: 1_000 } }));
    expect(adapter.calls).toBe(1);
  });

  it('never tries sooner than a backend asked that wants more than a minute', async () => {
    const adapter = scripted({ fails: 'rate_limit', options: { retryAfterMs: 61_000 } }, {});
    await all(withRetry(adapter, fast).streamInfer(endpoint, request));
    expect(adapter.calls).toBe(1);
  });

  it('passes each try only what is left of the total deadline', async () => {
    const seen: number[] = [];
    const inner = scripted({ fails: 'overloaded', options: { retryAfterMs: 20 } }, {});
    const spy: Adapter = {
      ...inner,
      streamInfer(endpoint, request, options) {
        seen.push(options?.timeouts?.totalMs ?? 0);
        return inner.streamInfer(endpoint, request, options);
      },
    };
    await all(withRetry(spy, fast).streamInfer(endpoint, request, { timeouts: { totalMs: 10_000 } }));
    expect(seen[0]).toBe(10_000);
    expect(seen[1]).toBeLessThan(10_000);
  });

  it('makes no other try when the wait took longer than the deadline leaves', async () => {
    const adapter = scripted({ fails: 'overloaded', options: { retryAfterMs: 30 } }, {});
    const ending = all(
      withRetry(adapter, fast).streamInfer(endpoint, request, { timeouts: { totalMs: 60 } }),
    );
    // The event loop is blocked, so the timer of 30 ms fires after more than 60.
    setTimeout(() => {
      const until = performance.now() + 80;
      while (performance.now() < until);
    }, 5);
    await ending;
    expect(adapter.calls).toBe(1);
  });

  it.each([{ maxRetries: Number.NaN }, { maxRetries: -1 }, { maxRetries: 1.5 }, { baseDelayMs: Number.NaN }])(
    'refuses %j by name instead of trying for ever',
    options => {
      const [name] = Object.keys(options);
      expect(() => withRetry(scripted({}), options)).toThrow(new RegExp(`invalid retry options: ${name}`));
    },
  );

  it('counts the waits into the timings of the call', async () => {
    const adapter = scripted({ fails: 'overloaded', options: { retryAfterMs: 40 } }, {});
    const done = (await all(withRetry(adapter, fast).streamInfer(endpoint, request))).at(-1);
    const timings = done?.type === 'done' ? done.timings : undefined;
    expect(timings?.totalMs).toBeGreaterThanOrEqual(35);
    expect(timings?.firstTokenMs).toBeGreaterThanOrEqual(35);
  });

  it('wraps an adapter that is a class', async () => {
    class Own {
      readonly kind = 'own';
      readonly capabilities = {} as Capabilities;
      closed = false;
      streamInfer = scripted({}).streamInfer;
      async health() {
        return { state: 'healthy' as const, checkedAt: 0, latencyMs: 0 };
      }
      async close() {
        this.closed = true;
      }
    }
    const own = new Own();
    const wrapped = withRetry(own);
    expect(await wrapped.health(endpoint)).toMatchObject({ state: 'healthy' });
    await wrapped.close();
    expect(own.closed).toBe(true);
  });

  it('counts its own tries, whatever the adapter logs', async () => {
    const inner = scripted(...Array<Try>(9).fill({ fails: 'overloaded' }));
    const forgetful: Adapter = {
      ...inner,
      async *streamInfer(...call) {
        for await (const event of inner.streamInfer(...call)) {
          yield event.type === 'done' ? { ...event, attempts: [] } : event;
        }
        return undefined;
      },
    };
    await all(withRetry(forgetful, { ...fast, maxRetries: 2 }).streamInfer(endpoint, request));
    expect(inner.calls).toBe(3);
  });

  it('answers several next() calls at once in order', async () => {
    const adapter = scripted({ fails: 'overloaded' }, { fails: 'auth' });
    const stream = withRetry(adapter, fast).streamInfer(endpoint, request);
    const steps = await Promise.all([stream.next(), stream.next(), stream.next()]);
    expect(steps).toMatchObject([{ value: { type: 'error' } }, { value: { type: 'done' } }, { done: true }]);
  });

  it('ends as aborted when the signal fires during the wait, and leaves no listener', async () => {
    const adapter = scripted({ fails: 'overloaded', options: { retryAfterMs: 50_000 } }, {});
    const controller = new AbortController();
    const ending = all(
      withRetry(adapter, fast).streamInfer(endpoint, request, { signal: controller.signal }),
    );
    setTimeout(() => controller.abort(), 10);
    expect(await ending).toMatchObject([
      { type: 'error', error: { category: 'aborted' } },
      { type: 'done', finishReason: 'aborted' },
    ]);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('stops waiting when the consumer leaves', async () => {
    const adapter = scripted({ fails: 'overloaded', options: { retryAfterMs: 50_000 } }, {});
    const stream = withRetry(adapter, fast).streamInfer(endpoint, request);
    const pending = stream.next();
    await new Promise(resolve => setTimeout(resolve, 10));
    await stream.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(adapter.calls).toBe(1);
  });
});

describe('withRetry around what answers with one value', () => {
  let server: ScriptedServer;
  afterEach(() => server?.close());

  const input = { input: 'one' };
  const limited = json(429, { error: { message: 'slow down' } }, { 'retry-after-ms': '30' });
  const vectors = json(200, { data: [{ index: 0, embedding: [1, 2] }] });

  async function serve(...scripts: Script[]): Promise<EndpointSpec> {
    server = await scriptedServer(...scripts);
    return { name: 'here', backendKind: 'openai_chat', baseUrl: server.url };
  }

  it('tries embed again after a 429', async () => {
    const endpoint = await serve(limited, vectors);
    const adapter = withRetry(openAIChatAdapter(), fast);
    expect(await adapter.embed?.(endpoint, input)).toMatchObject({ embeddings: [[1, 2]] });
    expect(server.seen).toHaveLength(2);
  });

  it('gives up after maxRetries, having waited as the backend asked, with every try in the log of the error', async () => {
    const endpoint = await serve(limited);
    const adapter = withRetry(openAIChatAdapter(), { ...fast, maxRetries: 2 });
    await expect(adapter.embed?.(endpoint, input)).rejects.toMatchObject({
      category: 'rate_limit',
      attempts: [
        { number: 1, outcome: 'rate_limit', status: 429, waitedMs: 30 },
        { number: 2, outcome: 'rate_limit', status: 429, waitedMs: 30 },
        { number: 3, outcome: 'rate_limit', status: 429 },
      ],
    });
    expect(server.seen).toHaveLength(3);
  });

  it('tries listModels and countTokens again, too', async () => {
    const endpoint = await serve(limited, json(200, { data: [] }), limited, json(200, { input_tokens: 3 }));
    const adapter = withRetry(openAIResponsesAdapter(), fast);
    expect(await adapter.listModels?.(endpoint)).toEqual([]);
    const messages = [{ role: 'user' as const, content: 'hi' }];
    expect(await adapter.countTokens?.(endpoint, { messages })).toEqual({ tokens: 3, exact: true });
    expect(server.seen).toHaveLength(4);
  });

  it('does not try again what cannot get better, and has no method that the adapter has not', async () => {
    const endpoint = await serve(json(401, {}));
    const adapter = withRetry(openAIChatAdapter(), fast);
    await expect(adapter.embed?.(endpoint, input)).rejects.toMatchObject({ category: 'auth' });
    expect(server.seen).toHaveLength(1);
    expect('countTokens' in adapter).toBe(false);
  });

  it('ends as aborted when the signal fires during the wait', async () => {
    const endpoint = await serve(json(429, {}, { 'retry-after-ms': '50000' }));
    const controller = new AbortController();
    const ending = withRetry(openAIChatAdapter(), fast)
      .embed?.(endpoint, input, { signal: controller.signal })
      .catch(error => error);
    await expect.poll(() => server.seen.length).toBe(1);
    controller.abort();
    expect(await ending).toMatchObject({ category: 'aborted', attempts: [{ status: 429 }] });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});
