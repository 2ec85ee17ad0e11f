import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  coldReply,
  gatewayOver,
  helloReply,
  KINDS,
  type Pair,
  SIGNATURE,
  sumReply,
  thoughtReply,
  weatherReply,
} from '../kinds.ts';
import { KEY } from '../running-gateway.ts';
import { readUpstream } from '../upstream-requests.ts';

const clientOf = ({ gateway }: Pair) =>
  new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
const question = { model: 'fast', input: 'Hi' };
const weather: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: 'get_weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: false,
};

describe.each(KINDS)('openai-node, by responses, over an upstream of %s', kind => {
  it('gets an answer, with usage and cost', async () => {
    const client = clientOf(await gatewayOver(kind, helloReply));
    const { data, response } = await client.responses.create(question).withResponse();
    expect(data).toMatchObject({
      id: expect.stringMatching(/^resp_/),
      status: 'completed',
      model: 'up-model',
      output_text: 'Hello world',
      usage: { input_tokens: 12, output_tokens: 5, total_tokens: 17, cost: 0.022 },
    });
    expect(response.headers.get('x-gateway-cost-usd')).toBe('0.022');
  });

  it('streams by its helper, text and calls', async () => {
    const client = clientOf(await gatewayOver(kind, weatherReply));
    const stream = client.responses.stream({ ...question, tools: [weather] });
    const deltas: string[] = [];
    stream.on('response.output_text.delta', event => deltas.push(event.delta));
    const final = await stream.finalResponse();
    expect(deltas).toEqual(['Let me look.']);
    expect(final.output).toMatchObject([
      { type: 'message', content: [{ text: 'Let me look.' }] },
      { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Oslo"}' },
    ]);
  });

  it('gives back what it got, and the result of a tool', async () => {
    const pair = await gatewayOver(kind, { ...weatherReply, thinking: 'Weather?' }, coldReply);
    const client = clientOf(pair);
    const tools = [weather];
    const first = await client.responses.create({ ...question, tools, store: false });
    const input: OpenAI.Responses.ResponseInput = [
      { role: 'user', content: 'Hi' },
      ...(first.output as OpenAI.Responses.ResponseInputItem[]),
      { type: 'function_call_output', call_id: 'call_1', output: '-3 °C' },
    ];
    const second = await client.responses.create({ ...question, input, tools, store: false });
    expect(second.output_text).toBe('It is cold in Oslo.');
    expect(readUpstream(kind, pair.upstream.seen[1])).toMatchObject({
      tools: ['get_weather'],
      results: [{ id: 'call_1', content: '-3 °C' }],
      // Who signs its thinking wants it back.
      thinking: kind === 'openai-chat' ? [] : [{ text: 'Weather?', signature: SIGNATURE }],
    });
  });

  it('parses structured output by a zod schema', async () => {
    const pair = await gatewayOver(kind, sumReply, sumReply);
    const asked = {
      ...question,
      text: { format: zodTextFormat(z.object({ sum: z.number() }), 'sum') },
    };
    const { responses } = clientOf(pair);
    expect((await responses.parse(asked)).output_parsed).toEqual({ sum: 3 });
    expect((await responses.stream(asked).finalResponse()).output_parsed).toEqual({ sum: 3 });
    expect(readUpstream(kind, pair.upstream.seen[0]).schema).toMatchObject({
      properties: { sum: { type: 'number' } },
    });
  });

  it('shows thinking, as the summary where one is asked for', async () => {
    const client = clientOf(await gatewayOver(kind, thoughtReply, thoughtReply));
    const plain = await client.responses.create(question);
    expect(plain.output[0]).toMatchObject({ type: 'reasoning', content: [{ text: 'Two and two' }] });
    const summed = await client.responses
      .stream({ ...question, reasoning: { summary: 'auto' } })
      .finalResponse();
    expect(summed.output[0]).toMatchObject({ type: 'reasoning', summary: [{ text: 'Two and two' }] });
    expect(summed.output_text).toBe('4');
  });

  it('learns that an answer was cut at its limit', async () => {
    const client = clientOf(await gatewayOver(kind, { ...helloReply, cut: true }));
    const stream = client.responses.stream({ ...question, max_output_tokens: 5 });
    expect(await stream.finalResponse()).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output_text: 'Hello world',
    });
  });
});
