import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type AdapterDefinition, type Capabilities, defineAdapter } from './adapter.ts';
import type { EndpointSpec } from './endpoint.ts';
import { AirframeError } from './errors.ts';
import type { InferenceStreamEvent } from './events.ts';

const endpoint: EndpointSpec = { name: 'here', backendKind: 'test', baseUrl: 'http://127.0.0.1:1' };
const request = { messages: [{ role: 'user' as const, content: 'hi' }] };
const capabilities = {} as Capabilities;

function adapter(infer: AdapterDefinition<Record<string, unknown>>['infer']) {
  return defineAdapter({ kind: 'test', capabilities, infer, health: async () => 'healthy' });
}

async function all(stream: AsyncIterable<InferenceStreamEvent>): Promise<InferenceStreamEvent[]> {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

describe('the stream contract', () => {
  it('ends a good reply with message and done', async () => {
    const { streamInfer } = adapter(async function* (_call, reply) {
      reply.text('a');
      yield;
      reply.text('b');
      reply.usage({ promptTokens: 3, completionTokens: 2, cachedTokens: 1 });
      reply.finish('stop');
    });
    const events = await all(streamInfer(endpoint, request));
    expect(events.map(event => event.type)).toEqual(['token', 'token', 'message', 'done']);
    expect(events.at(-2)).toEqual({ type: 'message', message: { role: 'assistant', content: 'ab' } });
    expect(events.at(-1)).toMatchObject({
      finishReason: 'stop',
      usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5, cachedTokens: 1, source: 'reported' },
      attempts: [{ number: 1, endpoint: 'here', outcome: 'ok' }],
    });
  });

  it('calls a reply truncated when the source ends without an end signal', async () => {
    const { streamInfer } = adapter(async function* (_call, reply) {
      reply.text('half');
      yield;
    });
    const events = await all(streamInfer(endpoint, request));
    expect(events.map(event => event.type)).toEqual(['token', 'error', 'done']);
    expect(events[1]).toMatchObject({ error: { category: 'connection', code: 'truncated' } });
    expect(events[2]).toMatchObject({
      finishReason: 'truncated',
      usage: { source: 'estimated', completionTokens: 1 },
    });
  });

  it('turns whatever is thrown, even at once, into error and done', async () => {
    const { streamInfer } = adapter(() => {
      throw new TypeError('boom');
    });
    const events = await all(streamInfer(endpoint, request));
    expect(events).toMatchObject([
      { type: 'error', error: { category: 'unknown', message: 'boom', attempts: [{ outcome: 'unknown' }] } },
      { type: 'done', finishReason: 'error', usage: { totalTokens: 0 } },
    ]);
  });

  it('hands out what was written before an error', async () => {
    const { streamInfer } = adapter(async function* (_call, reply) {
      reply.text('a');
      reply.text('b');
      yield;
      throw new AirframeError('backend', 'broke');
    });
    const events = await all(streamInfer(endpoint, request));
    expect(events.map(event => event.type)).toEqual(['token', 'token', 'error', 'done']);
  });

  it('parses tool calls once at the end and ends with tool_calls', async () => {
    const { streamInfer } = adapter(async function* (_call, reply) {
      reply.toolCall({ index: 0, id: 'a', name: 'f', arguments: '{"x":' });
      reply.toolCall({ index: 0, arguments: '1}' });
      reply.finish('stop');
      yield;
    });
    const events = await all(streamInfer(endpoint, request));
    expect(events.map(event => event.type)).toEqual([
      'tool_call_delta',
      'tool_call_delta',
      'tool_call',
      'message',
      'done',
    ]);
    expect(events[2]).toMatchObject({ call: { id: 'a', input: { x: 1 } } });
    expect(events.at(-1)).toMatchObject({ finishReason: 'tool_calls' });
  });

  it('names every problem of a bad request and never sends it', async () => {
    const { streamInfer } = adapter(() => expect.unreachable());
    const bad = { ...request, maxTokens: -1, temperature: -2 };
    const [error] = await all(streamInfer(endpoint, bad));
    expect(error).toMatchObject({ error: { category: 'invalid_request' } });
    expect(String((error as { error: Error }).error.message)).toMatch(
      /temperature: .*got -2.*maxTokens: .*got -1/,
    );
  });

  it('shows no secret of a bad endpoint', async () => {
    const { streamInfer } = adapter(() => expect.unreachable());
    const bad = { ...endpoint, baseUrl: 'http://me:geheim@host', apiKey: 7 as unknown as string };
    const events = JSON.stringify(
      (await all(streamInfer(bad, request))).map(event => String((event as { error?: Error }).error)),
    );
    expect(events).toMatch(/baseUrl: holds a user name or password.*apiKey/);
    expect(events).not.toMatch(/geheim|got 7/);
  });
});

describe('whatever the caller gives', () => {
  const { streamInfer } = adapter(() => expect.unreachable());

  it.each([
    undefined,
    null,
    {},
    { messages: [null] },
    { messages: 5 },
    { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
  ])('never throws: request %j is an error event', async bad => {
    const events = await all(streamInfer(endpoint, bad as never));
    expect(events).toMatchObject([{ error: { category: 'invalid_request' } }, { type: 'done' }]);
  });

  it('never throws: a missing endpoint is an error event', async () => {
    const events = await all(streamInfer(undefined as never, request));
    expect(events).toMatchObject([{ error: { code: 'configuration' } }, { type: 'done' }]);
  });

  it('refuses a timeout that no clock can keep, and takes undefined for not said', async () => {
    const [error] = await all(
      streamInfer(endpoint, request, { timeouts: { totalMs: Number.POSITIVE_INFINITY } }),
    );
    expect(error).toMatchObject({ error: { message: expect.stringContaining('invalid timeouts: totalMs') } });
    const quick = adapter(async function* (_call, reply) {
      reply.finish('stop');
      yield;
    });
    const timeouts = { headersMs: undefined } as never;
    expect((await all(quick.streamInfer(endpoint, request, { timeouts }))).at(-1)).toMatchObject({
      finishReason: 'stop',
    });
  });
});

describe('stopping', () => {
  it('ends at the deadline although the source does not heed it', async () => {
    let finish = () => {};
    const { streamInfer } = adapter(async function* (_call, reply) {
      await new Promise<void>(resolve => {
        finish = resolve;
      });
      reply.text('too late');
      reply.finish('stop');
      yield;
    });
    const events = await all(streamInfer(endpoint, request, { timeouts: { totalMs: 20 } }));
    finish();
    expect(events).toMatchObject([{ error: { code: 'total_timeout' } }, { finishReason: 'error' }]);
  });

  it('calls a source that ends quietly on abort aborted, not truncated', async () => {
    const controller = new AbortController();
    const { streamInfer } = adapter(async function* ({ signal }, reply) {
      reply.text('a');
      yield;
      controller.abort();
      if (!signal.aborted) yield;
    });
    const events = await all(streamInfer(endpoint, request, { signal: controller.signal }));
    expect(events.at(-1)).toMatchObject({ finishReason: 'aborted' });
  });

  const endless = () =>
    adapter(async function* ({ signal }, reply) {
      for (let i = 0; ; i++) {
        reply.usage({ promptTokens: 1, completionTokens: i + 1 });
        reply.text(`${i} `);
        yield;
        await sleep(1, undefined, { signal });
      }
    });

  it('ends as aborted, with the usage so far, when the signal fires', async () => {
    const controller = new AbortController();
    const events: InferenceStreamEvent[] = [];
    for await (const event of endless().streamInfer(endpoint, request, { signal: controller.signal })) {
      events.push(event);
      if (events.length === 3) controller.abort();
    }
    expect(events.at(-2)).toMatchObject({ type: 'error', error: { category: 'aborted' } });
    expect(events.at(-1)).toMatchObject({
      finishReason: 'aborted',
      usage: { completionTokens: 3, source: 'reported' },
    });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('does nothing at all when the signal has fired before', async () => {
    const { streamInfer } = adapter(() => expect.unreachable());
    const events = await all(streamInfer(endpoint, request, { signal: AbortSignal.abort() }));
    expect(events.map(event => event.type)).toEqual(['error', 'done']);
    expect(events[1]).toMatchObject({ finishReason: 'aborted' });
  });

  it('closes the source on break and leaves no listener on the signal', async () => {
    let closed = false;
    const { streamInfer } = adapter(async function* (_call, reply) {
      try {
        reply.text('a');
        yield;
        expect.unreachable();
      } finally {
        closed = true;
      }
    });
    const { signal } = new AbortController();
    for await (const _event of streamInfer(endpoint, request, { signal })) break;
    expect(closed).toBe(true);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('returns at once although a next() is waiting for a backend that says nothing', async () => {
    const { streamInfer } = adapter(async function* ({ signal }) {
      await sleep(1_000_000, undefined, { signal });
      yield;
    });
    const stream = streamInfer(endpoint, request);
    const pending = stream.next();
    await stream.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('asks the source for no more than is read', async () => {
    let made = 0;
    const { streamInfer } = adapter(async function* (_call, reply) {
      for (;;) {
        made++;
        reply.text('x');
        yield;
      }
    });
    const stream = streamInfer(endpoint, request);
    for (let i = 0; i < 5; i++) await stream.next();
    await sleep(5);
    expect(made).toBe(5);
    await stream.return?.();
  });

  it('answers several next() calls at once in order', async () => {
    const stream = endless().streamInfer(endpoint, request);
    const steps = await Promise.all([stream.next(), stream.next(), stream.next()]);
    expect(steps.map(step => step.value)).toMatchObject([{ text: '0 ' }, { text: '1 ' }, { text: '2 ' }]);
    await stream.return?.();
  });
});
