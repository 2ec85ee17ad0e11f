import { readFile } from 'node:fs/promises';
import type { HttpFn, InferenceStreamEvent } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { json, sse } from '../../../test/scripted-server.ts';
import { adapter, answer, infer, messages, serving } from './__fixtures__/served.ts';
import { geminiAdapter } from './index.ts';

const { seen, serve, sockets } = serving();

const fixture = (name: string) => readFile(new URL(`./__fixtures__/${name}.sse`, import.meta.url));

/** The events of a fixture, sent in these chunks; without what a clock says. */
async function replay(chunks: Uint8Array[]): Promise<InferenceStreamEvent[]> {
  async function* body() {
    yield* chunks;
  }
  const http: HttpFn = async () => ({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: body(),
  });
  const endpoint = { name: 'e', backendKind: 'gemini', baseUrl: 'http://x', model: 'm' };
  const all: InferenceStreamEvent[] = [];
  for await (const event of geminiAdapter({ http }).streamInfer(endpoint, { messages })) {
    all.push(event.type === 'done' ? { ...event, timings: { totalMs: 0 }, attempts: [] } : event);
  }
  return all;
}

describe('the example streams', () => {
  const zurich = {
    id: 'fc_1',
    name: 'wx',
    arguments: '{"city":"Zürich"}',
    input: { city: 'Zürich' },
    signature: 'gemini-call:24.0.0:EjQKMgEM==',
  };
  const bern = { id: 'fc_2', name: 'wx', arguments: '{"city":"Bern"}', input: { city: 'Bern' } };

  it('are read to their events, thoughts and parallel calls among them', async () => {
    expect(await replay([await fixture('thinking-and-calls')])).toEqual([
      { type: 'reasoning', text: 'Two cities, ' },
      { type: 'reasoning', text: 'two calls.' },
      { type: 'token', text: 'Let me ' },
      { type: 'token', text: 'look at Zürich ☀.' },
      { type: 'tool_call_delta', index: 0, id: 'fc_1', name: 'wx', argumentsDelta: zurich.arguments },
      { type: 'tool_call_delta', index: 1, id: 'fc_2', name: 'wx', argumentsDelta: bern.arguments },
      { type: 'tool_call', index: 0, call: zurich },
      { type: 'tool_call', index: 1, call: bern },
      {
        type: 'message',
        message: {
          role: 'assistant',
          content: 'Let me look at Zürich ☀.',
          reasoning: [{ text: 'Two cities, two calls.' }],
          toolCalls: [zurich, bern],
        },
      },
      {
        type: 'done',
        finishReason: 'tool_calls',
        usage: {
          promptTokens: 1200,
          cachedTokens: 1024,
          completionTokens: 91,
          reasoningTokens: 50,
          totalTokens: 1291,
          source: 'reported',
        },
        timings: { totalMs: 0 },
        responseId: 'r_1',
        model: 'gemini-3',
        attempts: [],
      },
    ]);
  });

  it.each(['thinking-and-calls', 'text'])(
    '%s gives the same events split at any byte',
    async name => {
      const bytes = await fixture(name);
      const eventsOf = async (...chunks: Uint8Array[]) => JSON.stringify(await replay(chunks));
      const whole = await eventsOf(bytes);
      for (let at = 1; at < bytes.length; at++) {
        expect(await eventsOf(bytes.subarray(0, at), bytes.subarray(at))).toBe(whole);
      }
      expect(await eventsOf(...[...bytes].map(byte => Uint8Array.of(byte)))).toBe(whole);
    },
    30_000,
  );
});

describe('a call', () => {
  it('closes the socket when the consumer leaves', async () => {
    const endpoint = await serve(sse([answer([{ text: 'a' }])], { end: false }));
    for await (const event of adapter.streamInfer(endpoint, { messages })) {
      expect(event).toEqual({ type: 'token', text: 'a' });
      break;
    }
    await expect.poll(sockets).toBe(0);
    expect(seen()[0]?.closedEarly).toBe(true);
  });

  it('ends as aborted when its signal fires, with the text that came', async () => {
    const endpoint = await serve(sse([answer([{ text: 'a' }])], { end: false }));
    const abort = new AbortController();
    const types: string[] = [];
    for await (const event of adapter.streamInfer(endpoint, { messages }, { signal: abort.signal })) {
      types.push(event.type === 'done' ? event.finishReason : event.type);
      abort.abort();
    }
    expect(types).toEqual(['token', 'error', 'aborted']);
    await expect.poll(sockets).toBe(0);
  });

  it('takes one whole answer instead of a stream', async () => {
    const parts = [
      { text: 'Hm.', thought: true, thoughtSignature: 'A' },
      { text: 'Let me look.' },
      { functionCall: { name: 'wx', args: { c: 1 } } },
      { functionCall: { name: 'now' } },
    ];
    const usageMetadata = { promptTokenCount: 5, candidatesTokenCount: 3, thoughtsTokenCount: 4 };
    const endpoint = await serve(json(200, answer(parts, 'STOP', { usageMetadata, responseId: 'r' })));
    expect(await infer(endpoint, { stream: false })).toMatchObject({
      message: {
        content: 'Let me look.',
        reasoning: [{ text: 'Hm.', signature: 'gemini-thought:0.0.0:A' }],
        toolCalls: [
          { id: 'call_0', name: 'wx', arguments: '{"c":1}' },
          { id: 'call_1', name: 'now', arguments: '{}', input: {} },
        ],
      },
      finishReason: 'tool_calls',
      responseId: 'r',
      usage: { promptTokens: 5, completionTokens: 7, reasoningTokens: 4, source: 'reported' },
    });
    expect(seen()[0]?.path).toBe('/v1beta/models/gemini-3-flash:generateContent');
  });

  it('can do what the manifest says', () => {
    expect(adapter.capabilities).toEqual({
      streaming: true,
      rawPrompt: false,
      tools: true,
      images: true,
      reasoning: true,
      jsonSchema: true,
      seed: true,
      embed: true,
      countTokens: true,
      listModels: true,
      health: true,
    });
  });
});
