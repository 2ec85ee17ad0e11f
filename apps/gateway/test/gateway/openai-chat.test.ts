import OpenAI from 'openai';
import { LengthFinishReasonError } from 'openai/error';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  coldReply,
  gatewayOver,
  helloReply,
  KINDS,
  type Pair,
  type Reply,
  sumReply,
  weatherReply,
} from '../kinds.ts';
import { KEY } from '../running-gateway.ts';
import { readUpstream } from '../upstream-requests.ts';

const clientOf = ({ gateway }: Pair) =>
  new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
const question = { model: 'fast', messages: [{ role: 'user' as const, content: 'Hi' }] };

const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const weather = { type: 'function' as const, function: { name: 'get_weather', parameters } };
const weatherCall = {
  id: 'call_1',
  type: 'function',
  function: { name: 'get_weather', arguments: '{"city":"Oslo"}' },
};

describe.each(KINDS)('openai-node over an upstream of %s', kind => {
  it('gets an answer, with usage and cost', async () => {
    const pair = await gatewayOver(kind, helloReply);
    const { data, response } = await clientOf(pair).chat.completions.create(question).withResponse();
    expect(data.choices).toMatchObject([{ message: { content: 'Hello world' }, finish_reason: 'stop' }]);
    expect(data.usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 5, cost: 0.022 });
    expect(data).toMatchObject({ id: expect.stringMatching(/^chatcmpl-/), model: 'up-model' });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-gateway-provider': 'up',
      'x-gateway-model': 'up-model',
      'x-gateway-attempts': '1',
      'x-gateway-cost-usd': '0.022',
    });
    const [seen] = pair.upstream.seen;
    expect(readUpstream(kind, seen).model).toBe('up-model');
    expect(seen?.headers.authorization ?? seen?.headers['x-api-key'] ?? '').not.toContain(KEY);
  });

  it('streams chunk by chunk, and tells the usage where it is asked for', async () => {
    const client = clientOf(await gatewayOver(kind, helloReply));
    const stream = await client.chat.completions.create({
      ...question,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '');
    expect(text.filter(piece => piece !== '')).toEqual(['Hello', ' world']);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 17, cost: 0.022 } });
  });

  it('streams by its helper', async () => {
    const client = clientOf(await gatewayOver(kind, weatherReply));
    const stream = client.chat.completions.stream({ ...question, tools: [weather] });
    const deltas: string[] = [];
    stream.on('content', piece => deltas.push(piece));
    const argued: string[] = [];
    stream.on('tool_calls.function.arguments.done', ({ arguments: args }) => argued.push(args));
    const final = await stream.finalChatCompletion();
    expect(deltas).toEqual(['Let me look.']);
    expect(argued).toEqual(['{"city":"Oslo"}']);
    expect(final.choices).toMatchObject([
      { message: { content: 'Let me look.', tool_calls: [weatherCall] }, finish_reason: 'tool_calls' },
    ]);
  });

  it.each([false, true])('runs tools until the answer stands (stream: %s)', async stream => {
    const pair = await gatewayOver(kind, weatherReply, coldReply);
    const asked: unknown[] = [];
    const tool = zodFunction({
      name: 'get_weather',
      parameters: z.object({ city: z.string() }),
      function: input => {
        asked.push(input);
        return `-3 °C in ${input.city}`;
      },
    });
    const { completions } = clientOf(pair).chat;
    const runner = stream
      ? completions.runTools({ ...question, tools: [tool], stream: true })
      : completions.runTools({ ...question, tools: [tool] });
    expect(await runner.finalContent()).toBe('It is cold in Oslo.');
    expect(asked).toEqual([{ city: 'Oslo' }]);
    const { tools, results } = readUpstream(kind, pair.upstream.seen[1]);
    expect(tools).toEqual(['get_weather']);
    expect(results).toEqual([{ id: 'call_1', content: '-3 °C in Oslo' }]);
  });

  it('parses structured output by a zod schema', async () => {
    const pair = await gatewayOver(kind, sumReply, sumReply);
    const asked = {
      ...question,
      response_format: zodResponseFormat(z.object({ sum: z.number() }), 'sum'),
    };
    const { completions } = clientOf(pair).chat;
    const whole = await completions.parse(asked);
    const streamed = await completions.stream(asked).finalChatCompletion();
    for (const { choices } of [whole, streamed]) expect(choices[0]?.message.parsed).toEqual({ sum: 3 });
    expect(readUpstream(kind, pair.upstream.seen[0]).schema).toMatchObject({
      properties: { sum: { type: 'number' } },
    });
  });

  it('learns that an answer was cut at its limit', async () => {
    const cut: Reply = { text: ['{"sum"'], cut: true };
    const client = clientOf(await gatewayOver(kind, cut, cut));
    const answer = await client.chat.completions.create({ ...question, max_tokens: 5 });
    expect(answer.choices[0]?.finish_reason).toBe('length');
    const parsed = client.chat.completions
      .stream({ ...question, response_format: zodResponseFormat(z.object({}), 'a') })
      .finalChatCompletion();
    await expect(parsed).rejects.toThrow(LengthFinishReasonError);
  });
});
