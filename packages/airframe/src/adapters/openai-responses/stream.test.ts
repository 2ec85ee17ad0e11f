import { describe, expect, it } from 'vitest';
import { sse } from '../../../../../test/scripted-server.ts';
import {
  added,
  call,
  completed,
  created,
  events,
  failed,
  incomplete,
  itemDone,
  type Sent,
  text,
} from './__fixtures__/events.ts';
import { adapter, infer, messages, serving } from './__fixtures__/served.ts';
import { decodeSignature } from './signatures.ts';

const { seen, serve } = serving();

const refusal = (delta: string): Sent => ({
  type: 'response.refusal.delta',
  item_id: 'm',
  output_index: 0,
  content_index: 0,
  delta,
});

describe('a stream', () => {
  it('counts tool calls on their own, not by output_index, and knows them by call_id', async () => {
    const payloads = [created, ...text(0, 'a'), ...call(1, 'f'), ...call(3, 'g', '{"x"', ':1}'), completed()];
    const endpoint = await serve(events(payloads));
    const deltas: object[] = [];
    for await (const event of adapter.streamInfer(endpoint, { messages })) {
      if (event.type === 'tool_call_delta') deltas.push(event);
    }
    const type = 'tool_call_delta';
    expect(deltas).toEqual([
      { type, index: 0, id: 'call_1', name: 'f', argumentsDelta: '' },
      { type, index: 1, id: 'call_3', name: 'g', argumentsDelta: '' },
      { type, index: 1, argumentsDelta: '{"x"' },
      { type, index: 1, argumentsDelta: ':1}' },
    ]);
  });

  it('goes by output_index where the item ids change on the way', async () => {
    const changing = call(0, 'f', '{"x"', ':1}').map((event, at) => {
      const item = event['item'] as object | undefined;
      return item ? { ...event, item: { ...item, id: `id_${at}` } } : { ...event, item_id: `id_${at}` };
    });
    const endpoint = await serve(events([created, ...changing, completed()]));
    expect((await infer(endpoint)).toolCalls).toMatchObject([{ id: 'call_0', arguments: '{"x":1}' }]);
  });

  it('reads what comes whole at the end of an item and in no delta, and what comes in both once', async () => {
    const onlyEnds = [...text(0, 'Hello'), ...call(1, 'f', '{"x":1}')].filter(
      ({ type }) => !/delta/.test(type),
    );
    const endpoint = await serve(events([created, ...onlyEnds, ...text(2, ' all', '.'), completed()]));
    expect(await infer(endpoint)).toMatchObject({
      text: 'Hello all.',
      toolCalls: [{ arguments: '{"x":1}' }],
    });
  });

  it('keeps the arguments that max_output_tokens cut', async () => {
    const endpoint = await serve(events([...call(0, 'f', '{"x"'), incomplete('max_output_tokens')]));
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'length',
      toolCalls: [{ arguments: '{"x"', parseError: expect.stringContaining('not valid JSON') }],
    });
  });

  it('reads a refusal as text', async () => {
    const item = { id: 'm', type: 'message', content: [{ type: 'refusal', refusal: 'I will not.' }] };
    const payloads = [
      added(0, { ...item, content: [] }),
      refusal('I will '),
      refusal('not.'),
      itemDone(0, item),
    ];
    const endpoint = await serve(events([...payloads, completed()]));
    expect(await infer(endpoint)).toMatchObject({ text: 'I will not.', finishReason: 'stop' });
  });

  it('takes encrypted_content from the end of the item, where alone it is final, and keeps its place', async () => {
    const item = { id: 'rs', type: 'reasoning', summary: [], encrypted_content: 'EARLY' };
    const final = { ...item, encrypted_content: 'FINAL' };
    const payloads = [
      ...text(0, 'abc'),
      ...call(1, 'f'),
      added(2, item),
      itemDone(2, final),
      ...text(3, 'd'),
    ];
    const endpoint = await serve(events([...payloads, completed()]));
    const { message } = await infer(endpoint);
    expect(message?.reasoning).toHaveLength(1);
    expect(message?.reasoning?.[0]?.text).toBe('');
    expect(decodeSignature(message?.reasoning?.[0]?.signature)).toEqual({ item: final, chars: 3, calls: 1 });
  });

  it('reads the open thinking of open models', async () => {
    const item = {
      id: 'rs',
      type: 'reasoning',
      summary: [],
      content: [{ type: 'reasoning_text', text: 'Hm.' }],
    };
    const delta = { type: 'response.reasoning_text.delta', item_id: 'rs', content_index: 0, delta: 'Hm.' };
    const endpoint = await serve(
      events([added(0, { ...item, content: [] }), delta, itemDone(0, item), ...text(1, 'a'), completed()]),
    );
    expect(await infer(endpoint)).toMatchObject({ reasoning: 'Hm.', text: 'a' });
  });

  it('ignores keepalive, the API’s own tools, and types that it does not know', async () => {
    const unknown = [
      { type: 'keepalive' },
      added(0, { id: 'ws', type: 'web_search_call' }),
      { type: 'response.web_search_call.searching', item_id: 'ws', output_index: 0 },
      { type: 'response.function_call_arguments.delta', item_id: 'ws', output_index: 0, delta: '{}' },
      itemDone(0, { id: 'ws', type: 'web_search_call', status: 'completed' }),
      { type: 'response.mcp_call.failed', error: 'x' },
    ];
    const endpoint = await serve(events([created, ...unknown, ...text(1, 'a'), completed()]));
    expect(await infer(endpoint)).toMatchObject({ text: 'a', toolCalls: [], finishReason: 'stop' });
  });

  it('names the tier that served, not the one that response.created repeats from the request', async () => {
    const endpoint = await serve(events([created, ...text(0, 'a'), completed({ service_tier: 'priority' })]));
    expect(await infer(endpoint)).toMatchObject({
      serviceTier: 'priority',
      attempts: [{ requestId: 'req_1' }],
    });
  });

  it('leaves out figures that are null', async () => {
    const usage = { input_tokens: 5, input_tokens_details: { cached_tokens: null }, output_tokens: 2 };
    const endpoint = await serve(events([...text(0, 'a'), completed({ usage })]));
    expect((await infer(endpoint)).usage).toEqual({
      promptTokens: 5,
      completionTokens: 2,
      totalTokens: 7,
      source: 'reported',
    });
  });
});

describe('the end of a stream', () => {
  it.each([
    [completed(), 'stop'],
    [incomplete('max_output_tokens'), 'length'],
    [incomplete('content_filter'), 'content_filter'],
    [failed('server_error'), 'error'],
  ])('after text: case %# is %s', async (end, finishReason) => {
    const endpoint = await serve(events([created, ...text(0, 'a'), end]));
    const usage = { promptTokens: 9, completionTokens: 2, source: 'reported' };
    expect(await infer(endpoint)).toMatchObject({ finishReason, text: 'a', responseId: 'resp_1', usage });
  });

  it('is tool_calls when there are calls: the API has no finish reason', async () => {
    const endpoint = await serve(events([...call(0, 'f'), completed()]));
    expect(await infer(endpoint)).toMatchObject({ finishReason: 'tool_calls' });
  });

  it.each([
    ['nothing', []],
    ['[DONE]', ['[DONE]']],
  ])('without a terminal event, with %s, is truncated, even after the last item', async (_name, more) => {
    const endpoint = await serve(sse([created, ...text(0, 'a'), ...more]));
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'truncated',
      text: 'a',
      error: { code: 'truncated' },
      usage: { source: 'estimated' },
    });
  });

  it('needs no [DONE], and whatever a server sends behind it does not matter', async () => {
    const endpoint = await serve(sse([...text(0, 'a'), completed(), '[DONE]', failed('server_error')]));
    for (const _ of ['first', 'next']) {
      expect(await infer(endpoint)).toMatchObject({ finishReason: 'stop', text: 'a' });
    }
  });

  it('reaches the backend when the reader leaves early', async () => {
    const endpoint = await serve(events([created, ...text(0, 'a')], { end: false }));
    for await (const event of adapter.streamInfer(endpoint, { messages })) if (event.type === 'token') break;
    await expect.poll(() => seen()[0]?.closedEarly).toBe(true);
  });

  it.each([['null'], ['{"type":'], ['7']])('is a parse error after %s', async data => {
    const endpoint = await serve(sse([data]));
    expect(await infer(endpoint)).toMatchObject({ error: { category: 'parse' } });
  });
});
