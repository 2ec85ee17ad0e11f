import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
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

const clientOf = ({ gateway }: Pair) => new Anthropic({ apiKey: KEY, baseURL: gateway.url, maxRetries: 0 });
const question = {
  model: 'fast',
  max_tokens: 2_000,
  messages: [{ role: 'user' as const, content: 'Hi' }],
};
const weather: Anthropic.Tool = {
  name: 'get_weather',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

describe.each(KINDS)('the Anthropic SDK over an upstream of %s', kind => {
  it('gets an answer, with usage and cost', async () => {
    const pair = await gatewayOver(kind, helloReply);
    const { data, response } = await clientOf(pair).messages.create(question).withResponse();
    expect(data).toMatchObject({
      id: expect.stringMatching(/^msg_/),
      model: 'up-model',
      content: [{ type: 'text', text: 'Hello world' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 12, output_tokens: 5, cost: 0.022 },
    });
    expect(response.headers.get('x-gateway-cost-usd')).toBe('0.022');
    expect(readUpstream(kind, pair.upstream.seen[0]).model).toBe('up-model');
  });

  it('streams by its helper, event by event', async () => {
    const client = clientOf(await gatewayOver(kind, { ...weatherReply, thinking: 'Weather?' }));
    const stream = client.messages.stream({ ...question, tools: [weather] });
    const told: Record<string, string[]> = { text: [], thinking: [], json: [] };
    stream.on('text', piece => told['text']?.push(piece));
    stream.on('thinking', piece => told['thinking']?.push(piece));
    stream.on('inputJson', piece => told['json']?.push(piece));
    const message = await stream.finalMessage();
    expect(told).toEqual({
      text: ['Let me look.'],
      thinking: ['Weather?'],
      json: ['{"city":', '"Oslo"}'],
    });
    expect(message).toMatchObject({
      content: [
        { type: 'thinking', thinking: 'Weather?' },
        { type: 'text', text: 'Let me look.' },
        { type: 'tool_use', id: 'call_1', name: 'get_weather', input: { city: 'Oslo' } },
      ],
      stop_reason: 'tool_use',
      usage: { output_tokens: 5 },
    });
  });

  it('gives back what it got, and the result of a tool', async () => {
    const pair = await gatewayOver(kind, { ...weatherReply, thinking: 'Weather?' }, coldReply);
    const client = clientOf(pair);
    const asked = { ...question, tools: [weather] };
    const { role, content } = await client.messages.create(asked);
    const result = { type: 'tool_result' as const, tool_use_id: 'call_1', content: '-3 °C' };
    const answer = await client.messages.create({
      ...asked,
      messages: [...asked.messages, { role, content }, { role: 'user', content: [result] }],
    });
    expect(answer.content).toMatchObject([{ type: 'text', text: 'It is cold in Oslo.' }]);
    expect(readUpstream(kind, pair.upstream.seen[1])).toMatchObject({
      tools: ['get_weather'],
      results: [{ id: 'call_1', content: '-3 °C' }],
      // Who signs its thinking wants it back.
      thinking: kind === 'openai-chat' ? [] : [{ text: 'Weather?', signature: SIGNATURE }],
    });
  });

  it('asks for thinking, in the words of the upstream', async () => {
    const pair = await gatewayOver(kind, thoughtReply, thoughtReply);
    const client = clientOf(pair);
    const thinking = { type: 'enabled' as const, budget_tokens: 1_024 };
    const { content } = await client.messages.create({ ...question, thinking });
    expect(content).toMatchObject([
      { type: 'thinking', thinking: 'Two and two' },
      { type: 'text', text: '4' },
    ]);
    await client.messages.create({
      ...question,
      thinking: { type: 'adaptive' },
      output_config: { effort: 'low' },
    });
    const [fixed, free] = pair.upstream.seen.map(({ body }) => body);
    if (kind === 'anthropic-messages') {
      expect(fixed).toMatchObject({ thinking });
      expect(free).toMatchObject({ thinking: { type: 'adaptive' }, output_config: { effort: 'low' } });
    }
    if (kind === 'openai-responses') expect(free).toMatchObject({ reasoning: { effort: 'low' } });
    if (kind === 'openai-chat') expect(free).toMatchObject({ reasoning_effort: 'low' });
  });

  it('gets structured output', async () => {
    const pair = await gatewayOver(kind, sumReply);
    const schema = { type: 'object', properties: { sum: { type: 'number' } } };
    const { content } = await clientOf(pair).messages.create({
      ...question,
      output_config: { format: { type: 'json_schema', schema } },
    });
    const [block] = content;
    expect(block?.type === 'text' && JSON.parse(block.text)).toEqual({ sum: 3 });
    expect(readUpstream(kind, pair.upstream.seen[0]).schema).toEqual(schema);
  });

  it('learns that an answer was cut at its limit', async () => {
    const client = clientOf(await gatewayOver(kind, { ...helloReply, cut: true }));
    const message = await client.messages.stream({ ...question, max_tokens: 5 }).finalMessage();
    expect(message).toMatchObject({ stop_reason: 'max_tokens', content: [{ text: 'Hello world' }] });
  });
});
