import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { AirframeClient } from '../client.ts';
import { collect } from '../collect.ts';
import type { EndpointSpec } from '../endpoint.ts';
import { AirframeError, ERROR_CATEGORIES } from '../errors.ts';
import type { InferenceStreamEvent } from '../events.ts';
import type { InferenceRequest } from '../request.ts';
import { withRetry } from '../wrap/retry.ts';
import { type FakeAdapter, fakeAdapter } from './fake-adapter.ts';
import type { FakePiece } from './fake-script.ts';

const endpoint: EndpointSpec = { name: 'fake', backendKind: 'fake', baseUrl: 'http://127.0.0.1:1' };
const ask = (content: string): InferenceRequest => ({ messages: [{ role: 'user', content }] });

async function all(stream: AsyncIterable<InferenceStreamEvent>): Promise<InferenceStreamEvent[]> {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}
const infer = (fake: FakeAdapter, changes: Partial<InferenceRequest> = {}, options = {}) =>
  all(fake.streamInfer(endpoint, { ...ask('hi'), ...changes } as InferenceRequest, options));
const result = (fake: FakeAdapter, request = ask('hi')) =>
  collect(fake.streamInfer(endpoint, request), { throwOnError: false });
const textsOf = (events: InferenceStreamEvent[]) =>
  events.flatMap(event => (event.type === 'token' ? [event.text] : []));

describe('a script', () => {
  it('may be a text, which comes word by word', async () => {
    const events = await infer(fakeAdapter('Two words,\n and  more '));
    expect(textsOf(events)).toEqual(['Two', ' words,', '\n and', '  more', ' ']);
    expect(events.at(-1)).toMatchObject({
      finishReason: 'stop',
      responseId: 'fake-1',
      model: 'fake-model',
      usage: { source: 'estimated', promptTokens: 1 },
    });
  });

  it('may be pieces: reasoning, text, tool calls, usage and the ending', async () => {
    const fake = fakeAdapter([
      { usage: { promptTokens: 9 } },
      { reasoning: 'hm', signature: 's' },
      'Let me ',
      'see.',
      { toolCall: { name: 'add', arguments: { a: 2 } } },
      { toolCall: { name: 'bad', id: 'x', arguments: '{"a":' } },
      { usage: { completionTokens: 4 } },
    ]);
    const events = await infer(fake);
    expect(events.map(({ type }) => type)).toEqual([
      'reasoning',
      'token',
      'token',
      ...Array(4).fill('tool_call_delta'),
      'tool_call',
      'tool_call',
      'message',
      'done',
    ]);
    expect(events.filter(({ type }) => type === 'tool_call')).toMatchObject([
      { call: { id: 'call_1', name: 'add', input: { a: 2 } } },
      { call: { id: 'x', arguments: '{"a":', parseError: expect.any(String) } },
    ]);
    expect(events.at(-1)).toMatchObject({
      finishReason: 'tool_calls',
      usage: { promptTokens: 9, completionTokens: 4, source: 'reported' },
    });
    expect((await result(fakeAdapter(['Cut', { finish: 'length' }]))).finishReason).toBe('length');
  });

  it('may be a function of the request', async () => {
    const fake = fakeAdapter(async ({ messages }, call) =>
      messages?.at(-1)?.role === 'tool' ? `done ${call}` : [{ toolCall: { name: 'add' } }],
    );
    const first = await result(fake);
    expect(first.finishReason).toBe('tool_calls');
    const tool = { role: 'tool' as const, toolCallId: 'call_1', content: '4' };
    expect((await result(fake, { messages: [first.message ?? tool, tool] })).text).toBe('done 1');
    const failing = fakeAdapter(() => {
      throw new TypeError('boom');
    });
    expect((await result(failing)).error).toMatchObject({ category: 'unknown', message: 'boom' });
  });

  it('is the last one for all calls that follow, and there has to be one', async () => {
    const fake = fakeAdapter('a', 'b');
    const texts = [];
    for (let i = 0; i < 4; i++) texts.push((await result(fake)).text);
    expect(texts).toEqual(['a', 'b', 'b', 'b']);
    expect(() => Reflect.apply(fakeAdapter, undefined, [])).toThrow(
      'fakeAdapter has no script; give it one or more answers',
    );
  });

  it('with a piece that there is not says which', async () => {
    const { error } = await result(fakeAdapter([{ sleep: 3 } as unknown as FakePiece]));
    expect(error?.message).toContain('no such piece: {"sleep":3}');
  });

  it('gives the whole at the end to a request that wants no stream', async () => {
    const pieces: FakePiece[] = ['a', 'b', { reasoning: 'r' }, 'c'];
    expect((await infer(fakeAdapter(pieces), { stream: false })).map(({ type }) => type)).toEqual([
      'token',
      'reasoning',
      'token',
      'message',
      'done',
    ]);
    const failing = await infer(fakeAdapter([...pieces, { error: 'backend' }]), { stream: false });
    expect(failing.map(({ type }) => type)).toEqual(['error', 'done']);
  });
});

describe('failure', () => {
  it.each(ERROR_CATEGORIES)('may be %s, before the first output or after it', async category => {
    expect((await infer(fakeAdapter([{ error: category }]))).map(({ type }) => type)).toEqual([
      'error',
      'done',
    ]);
    const late = await result(fakeAdapter(['a', 'b', { error: category }, 'c']));
    expect(late).toMatchObject({ text: 'ab', error: { category } });
  });

  it('may be an error of your own, and is tried again as a real one would be', async () => {
    const error = new AirframeError('rate_limit', 'slow down', { status: 429, retryAfterMs: 1 });
    const fake = fakeAdapter([{ error }], 'at last');
    const { text, attempts } = await collect(withRetry(fake).streamInfer(endpoint, ask('hi')));
    expect(text).toBe('at last');
    expect(attempts).toMatchObject([{ outcome: 'rate_limit', status: 429 }, { outcome: 'ok' }]);
    expect(fake.calls).toHaveLength(2);
  });

  it('may be an answer that is cut short, or one that never goes on', async () => {
    expect(await result(fakeAdapter(['a', { truncate: true }, 'b']))).toMatchObject({
      text: 'a',
      finishReason: 'truncated',
      error: { code: 'truncated' },
    });
    for (const pieces of [['a', { stall: true }], [{ stall: true }]] as FakePiece[][]) {
      const events = await infer(fakeAdapter(pieces), {}, { timeouts: { idleMs: 10 } });
      expect(events.at(-1)).toMatchObject({ finishReason: 'stalled' });
    }
  });
});

describe('time', () => {
  it.each([
    [[{ delayMs: 60_000 }, 'a'], { headersMs: 10 }, 'headers_timeout'],
    [['a', { delayMs: 60_000 }, 'b'], { idleMs: 10 }, 'idle_timeout'],
    [[{ paceMs: 60_000 }, 'a'], { headersMs: 10 }, 'headers_timeout'],
    [['a', { paceMs: 60_000 }, 'b'], { totalMs: 10 }, 'total_timeout'],
    [() => new Promise<string>(() => {}), { headersMs: 10 }, 'headers_timeout'],
  ] as const)('that is scripted counts against the deadlines: %j with %j', async (script, timeouts, code) => {
    const events = await infer(fakeAdapter(script), {}, { timeouts });
    expect(events.at(-2)).toMatchObject({ type: 'error', error: { category: 'timeout', code } });
  });

  it('passes between the outputs as scripted', async () => {
    const start = performance.now();
    const timeouts = { headersMs: 5_000, idleMs: 5_000 };
    const events = await infer(
      fakeAdapter([{ paceMs: 10 }, 'a', 'b', { delayMs: 10 }, 'c']),
      {},
      { timeouts },
    );
    expect(textsOf(events)).toEqual(['a', 'b', 'c']);
    expect(performance.now() - start).toBeGreaterThan(35);
  });

  it.each([{ stall: true }, { delayMs: 60_000 }] as const)('ends with the abort during %j', async piece => {
    const controller = new AbortController();
    const fake = fakeAdapter(['a', piece, 'b']);
    setTimeout(() => controller.abort(), 5);
    const events = await infer(fake, {}, { signal: controller.signal });
    expect(events.map(({ type }) => type)).toEqual(['token', 'error', 'done']);
    expect(events.at(-1)).toMatchObject({ finishReason: 'aborted' });
    expect(fake.calls[0]?.signal.aborted).toBe(true);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('ends when the reader leaves, which the signal of the call tells', async () => {
    const fake = fakeAdapter(['a', { stall: true }]);
    for await (const _event of fake.streamInfer(endpoint, ask('hi'))) break;
    expect(fake.calls[0]?.signal.reason).toMatchObject({ message: 'the consumer left the stream' });
  });
});

describe('what it remembers and counts', () => {
  it('is each request as it was at the call', async () => {
    const fake = fakeAdapter('a');
    const request = ask('hi');
    await result(fake, request);
    request.messages?.push({ role: 'user', content: 'later' });
    expect(fake.calls).toMatchObject([
      { endpoint: { name: 'fake' }, request: { messages: [{ content: 'hi' }] } },
    ]);
    expect(fake.calls[0]?.request.messages).toHaveLength(1);
  });

  it('is the same for the same text', async () => {
    const fake = fakeAdapter({ models: [{ id: 'm', contextTokens: 8 }] }, 'a');
    const { embeddings, usage, model } = await fake.embed(endpoint, {
      input: ['one', 'two', 'one'],
      dimensions: 3,
    });
    expect(embeddings.map(vector => vector.length)).toEqual([3, 3, 3]);
    expect(embeddings[0]).toEqual(embeddings[2]);
    expect(embeddings[0]).not.toEqual(embeddings[1]);
    expect(Math.hypot(...(embeddings[0] ?? []))).toBeCloseTo(1);
    expect({ usage, model }).toMatchObject({ model: 'm', usage: { promptTokens: 3, totalTokens: 3 } });
    expect(fake.embedCalls).toEqual([{ input: ['one', 'two', 'one'], dimensions: 3 }]);
    expect(await fake.countTokens(endpoint, ask('12345'))).toEqual({ tokens: 2, exact: true });
    expect(await fake.listModels(endpoint)).toEqual([{ id: 'm', contextTokens: 8 }]);
    expect(await fake.health(endpoint)).toMatchObject({ state: 'healthy' });
  });

  it('stands in for an adapter of another kind', async () => {
    const fake = fakeAdapter({ kind: 'openai_chat' }, 'a');
    const client = new AirframeClient({ adapters: [fake] });
    const stream = client.streamInfer({ ...endpoint, backendKind: 'openai_chat' }, ask('hi'));
    expect((await collect(stream)).text).toBe('a');
    await client.close();
  });
});
