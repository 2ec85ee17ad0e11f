import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { json } from '../../../../../test/scripted-server.ts';
import type { InferenceStreamEvent } from '../../events.ts';
import type { HttpFn } from '../../transport/http.ts';
import { completed, events } from './__fixtures__/events.ts';
import { adapter, infer, messages, serving } from './__fixtures__/served.ts';
import { openAIResponsesAdapter } from './index.ts';

const { seen, sent, serve } = serving();

const fixture = (name: string) => readFile(new URL(`./__fixtures__/${name}.sse`, import.meta.url));

/** The events of a stream that comes in these chunks; without what a clock says. */
async function replay(chunks: Uint8Array[]): Promise<InferenceStreamEvent[]> {
  async function* body() {
    yield* chunks;
  }
  const http: HttpFn = async () => ({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: body(),
  });
  const endpoint = { name: 'e', backendKind: 'openai_responses', baseUrl: 'http://x/v1', model: 'm' };
  const all: InferenceStreamEvent[] = [];
  for await (const event of openAIResponsesAdapter({ http }).streamInfer(endpoint, { messages })) {
    all.push(event.type === 'done' ? { ...event, timings: { totalMs: 0 }, attempts: [] } : event);
  }
  return all;
}

const item = {
  id: 'rs_1',
  type: 'reasoning',
  summary: [
    { type: 'summary_text', text: 'Größe?' },
    { type: 'summary_text', text: 'Ask f.' },
  ],
  encrypted_content: 'ENC',
  status: 'completed',
};
const signature = `openai-responses:0.0:${JSON.stringify(item)}`;
const f = { id: 'call_a', name: 'f', arguments: '{"x":1}', input: { x: 1 } };
const g = { id: 'call_b', name: 'g', arguments: '{}', input: {} };
const done = {
  type: 'done',
  timings: { totalMs: 0 },
  responseId: 'resp_1',
  model: 'gpt-x',
  serviceTier: 'default',
  attempts: [],
};

describe('an example stream', () => {
  it('of one text is read to its events, the text once', async () => {
    expect(await replay([await fixture('text')])).toEqual([
      { type: 'token', text: 'Hi' },
      { type: 'message', message: { role: 'assistant', content: 'Hi' } },
      {
        ...done,
        finishReason: 'stop',
        usage: {
          promptTokens: 9,
          cachedTokens: 0,
          completionTokens: 2,
          reasoningTokens: 0,
          totalTokens: 11,
          source: 'reported',
        },
      },
    ]);
  });

  it('of thinking and two interleaved calls is read to its events', async () => {
    expect(await replay([await fixture('reasoning-and-calls')])).toEqual([
      { type: 'reasoning', text: 'Grö' },
      { type: 'reasoning', text: 'ße?' },
      { type: 'reasoning', text: '\n\nAsk f.' },
      { type: 'reasoning', text: '', signature },
      { type: 'tool_call_delta', index: 0, id: 'call_a', name: 'f', argumentsDelta: '' },
      { type: 'tool_call_delta', index: 1, id: 'call_b', name: 'g', argumentsDelta: '' },
      { type: 'tool_call_delta', index: 0, argumentsDelta: '{"x"' },
      { type: 'tool_call_delta', index: 1, argumentsDelta: '{}' },
      { type: 'tool_call_delta', index: 0, argumentsDelta: ':1}' },
      { type: 'tool_call', index: 0, call: f },
      { type: 'tool_call', index: 1, call: g },
      {
        type: 'message',
        message: {
          role: 'assistant',
          content: '',
          reasoning: [{ text: 'Größe?\n\nAsk f.', signature }],
          toolCalls: [f, g],
        },
      },
      {
        ...done,
        finishReason: 'tool_calls',
        usage: {
          promptTokens: 20,
          cachedTokens: 8,
          cacheWriteTokens: 4,
          completionTokens: 14,
          reasoningTokens: 6,
          totalTokens: 34,
          source: 'reported',
        },
      },
    ]);
  });

  it('goes back into the next request as it came', async () => {
    const stream = await fixture('reasoning-and-calls');
    const endpoint = await serve(response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(stream);
    });
    const { message } = await infer(endpoint);
    if (!message) throw new Error('no message');
    const { body } = await sent({
      messages: [...messages, message, { role: 'tool', toolCallId: 'call_a', content: '7' }],
    });
    const { status: _, ...unchanged } = item;
    expect(body['input']).toEqual([
      { role: 'user', content: 'hi' },
      unchanged,
      { type: 'function_call', call_id: 'call_a', name: 'f', arguments: '{"x":1}' },
      { type: 'function_call', call_id: 'call_b', name: 'g', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_a', output: '7' },
    ]);
  });
});

describe('a whole answer', () => {
  const output = [
    item,
    { id: 'msg_1', type: 'message', content: [{ type: 'output_text', text: 'Let me look.' }] },
    { id: 'ws_1', type: 'web_search_call', status: 'completed' },
    { id: 'fc_1', type: 'function_call', call_id: 'call_a', name: 'f', arguments: '{"x":1}' },
  ];
  const usage = { input_tokens: 5, output_tokens: 4, input_tokens_details: { cached_tokens: 3 } };
  const answer = { id: 'resp_1', object: 'response', model: 'm', status: 'completed', output, usage };

  it('becomes the same events', async () => {
    const endpoint = await serve(json(200, { ...answer, error: null, incomplete_details: null }));
    expect(await infer(endpoint, { stream: false })).toMatchObject({
      message: {
        content: 'Let me look.',
        reasoning: [{ text: 'Größe?\n\nAsk f.', signature }],
        toolCalls: [f],
      },
      finishReason: 'tool_calls',
      responseId: 'resp_1',
      usage: { promptTokens: 5, completionTokens: 4, cachedTokens: 3, source: 'reported' },
    });
    expect(seen()[0]?.body).toMatchObject({ stream: false });
  });

  it.each([
    [{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }, 'length'],
    [{ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }, 'content_filter'],
    [{ status: 'failed', error: { code: 'server_error', message: 'why' } }, 'error'],
    [{ status: 'cancelled' }, 'error'],
    [{ status: 'queued' }, 'truncated'],
    [{ output: undefined }, 'error'],
  ])('with %j ends as %s', async (more, finishReason) => {
    const endpoint = await serve(json(200, { ...answer, ...more }));
    expect(await infer(endpoint, { stream: false })).toMatchObject({ finishReason });
  });
});

describe('a parameter that the model refuses', () => {
  const refusal = (param: string | null, message = 'no') =>
    json(400, { error: { message, type: 'invalid_request_error', code: 'unsupported_parameter', param } });
  const fine = events([completed()]);

  it.each([
    ['temperature', refusal('temperature')],
    ['top_p', refusal('top_p')],
    ['include', refusal(null, 'Encrypted content is not supported with this model.')],
  ])('%s is left out on a second try', async (parameter, answer) => {
    const endpoint = await serve(answer, fine);
    expect(await infer(endpoint, { temperature: 1, topP: 1 })).toMatchObject({ finishReason: 'stop' });
    expect(seen().map(({ body }) => Object.hasOwn(body as object, parameter))).toEqual([true, false]);
  });

  it('is an error when it is one the caller named in extra, or when it is refused again', async () => {
    const endpoint = await serve(refusal('temperature'));
    expect(await infer(endpoint, { extra: { temperature: 1 } })).toMatchObject({
      error: { category: 'invalid_request', code: 'unsupported_parameter' },
    });
    expect(seen()).toHaveLength(1);
    await infer(endpoint, { temperature: 1 });
    expect(seen()).toHaveLength(3);
  });

  it('leaves what the caller includes', async () => {
    const endpoint = await serve(refusal('include'), fine);
    await infer(endpoint, { extra: { include: ['web_search_call.results'] } });
    expect(seen()[1]?.body).toMatchObject({ include: ['web_search_call.results'] });
  });
});

describe('health', () => {
  it('is healthy when the models can be listed, open where there is no list, else unhealthy', async () => {
    const error = (code: string | null) => ({ error: { message: 'why', code } });
    const endpoint = await serve(json(200, { data: [] }), json(404, {}), json(401, error('invalid_api_key')));
    const options = { organization: 'o', project: 'p' };
    const states = [];
    for (let i = 0; i < 3; i++)
      states.push((await adapter.health({ ...endpoint, apiKey: 'k', options })).state);
    expect(states).toEqual(['healthy', 'unknown', 'unhealthy']);
    expect(seen()[0]).toMatchObject({
      path: '/v1/models',
      headers: { authorization: 'Bearer k', 'openai-organization': 'o', 'openai-project': 'p' },
    });
  });
});
