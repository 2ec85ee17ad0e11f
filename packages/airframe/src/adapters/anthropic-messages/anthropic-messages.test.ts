import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { json } from '../../../../../test/scripted-server.ts';
import type { InferenceStreamEvent } from '../../events.ts';
import type { HttpFn } from '../../transport/http.ts';
import { infer, messages, serving } from './__fixtures__/served.ts';
import { anthropicMessagesAdapter } from './index.ts';

const { seen, serve } = serving();

const fixture = await readFile(new URL('./__fixtures__/tool-use.sse', import.meta.url));

/** The events of the fixture, sent in these chunks; without what a clock says. */
async function replay(chunks: Uint8Array[]): Promise<InferenceStreamEvent[]> {
  async function* body() {
    yield* chunks;
  }
  const http: HttpFn = async () => ({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: body(),
  });
  const endpoint = { name: 'e', backendKind: 'anthropic_messages', baseUrl: 'http://x', model: 'm' };
  const all: InferenceStreamEvent[] = [];
  for await (const event of anthropicMessagesAdapter({ http }).streamInfer(endpoint, { messages })) {
    all.push(event.type === 'done' ? { ...event, timings: { totalMs: 0 }, attempts: [] } : event);
  }
  return all;
}

describe('the example stream', () => {
  const call = { id: 'toolu_1', name: 'wx', arguments: '{"c":1}', input: { c: 1 } };

  it('is read to its events', async () => {
    expect(await replay([fixture])).toEqual([
      { type: 'token', text: 'Let me look.' },
      { type: 'tool_call_delta', index: 0, id: 'toolu_1', name: 'wx', argumentsDelta: '' },
      { type: 'tool_call_delta', index: 0, argumentsDelta: '{"c":1}' },
      { type: 'tool_call', index: 0, call },
      { type: 'message', message: { role: 'assistant', content: 'Let me look.', toolCalls: [call] } },
      {
        type: 'done',
        finishReason: 'tool_calls',
        usage: {
          promptTokens: 2060,
          cachedTokens: 2048,
          cacheWriteTokens: 0,
          completionTokens: 31,
          totalTokens: 2091,
          source: 'reported',
        },
        timings: { totalMs: 0 },
        responseId: 'msg_1',
        model: 'm',
        attempts: [],
      },
    ]);
  });
});

describe('a whole answer', () => {
  const content = [
    { type: 'thinking', thinking: 'Hm.', signature: 'S' },
    { type: 'text', text: 'Let me look.' },
    { type: 'server_tool_use', id: 'srv', name: 'web_search', input: {} },
    { type: 'tool_use', id: 't1', name: 'wx', input: { c: 1 } },
  ];
  const usage = { input_tokens: 2, cache_read_input_tokens: 3, output_tokens: 4 };
  const answer = { type: 'message', id: 'msg_1', model: 'm', content, stop_reason: 'tool_use', usage };

  it('tells what was written to the cache for an hour', async () => {
    const cache_creation = { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 };
    const written = { input_tokens: 2, cache_creation_input_tokens: 7, cache_creation, output_tokens: 4 };
    const endpoint = await serve(json(200, { ...answer, usage: written }));
    expect((await infer(endpoint, { stream: false })).usage).toEqual({
      promptTokens: 9,
      cacheWriteTokens: 7,
      cacheWrite1hTokens: 4,
      completionTokens: 4,
      totalTokens: 13,
      source: 'reported',
    });
  });

  it('becomes the same events', async () => {
    const endpoint = await serve(json(200, answer));
    expect(await infer(endpoint, { stream: false })).toMatchObject({
      message: {
        content: 'Let me look.',
        reasoning: [{ text: 'Hm.', signature: 'anthropic:0.0:S' }],
        toolCalls: [{ id: 't1', arguments: '{"c":1}', input: { c: 1 } }],
      },
      finishReason: 'tool_calls',
      responseId: 'msg_1',
      usage: { promptTokens: 5, completionTokens: 4, cachedTokens: 3, source: 'reported' },
    });
    expect(seen()[0]?.body).toMatchObject({ stream: false });
  });

  it('is truncated without a stop reason', async () => {
    const endpoint = await serve(json(200, { ...answer, stop_reason: null }));
    expect(await infer(endpoint, { stream: false })).toMatchObject({ finishReason: 'truncated' });
  });
});
