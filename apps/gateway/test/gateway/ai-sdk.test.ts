import { createOpenAI, type OpenAILanguageModelResponsesOptions } from '@ai-sdk/openai';
import {
  APICallError,
  embedMany,
  generateObject,
  generateText,
  stepCountIs,
  streamObject,
  streamText,
  tool,
} from 'ai';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { json, sse } from '../../../../test/scripted-server.ts';
import {
  coldReply,
  gatewayOver,
  helloReply,
  KINDS,
  type Pair,
  type Reply,
  sumReply,
  thoughtReply,
  weatherReply,
} from '../kinds.ts';
import { KEY } from '../running-gateway.ts';
import { readUpstream } from '../upstream-requests.ts';
import { delta } from '../upstreams.ts';

const openaiOf = ({ gateway }: Pair) => createOpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1` });
const MODELS = {
  'its chat model': (pair: Pair) => openaiOf(pair).chat('fast'),
  'its default model': (pair: Pair) => openaiOf(pair)('fast'),
};
const CROSSED = KINDS.flatMap(kind => Object.entries(MODELS).map(([name, model]) => ({ kind, name, model })));
const once = { prompt: 'Hi', maxRetries: 0 };
const schema = z.object({ sum: z.number() });

/** The gateway keeps no state, so the history has to come whole. */
const openai: OpenAILanguageModelResponsesOptions = { store: false };
const stateless = { providerOptions: { openai } };

const weatherTool = (asked: unknown[]) => ({
  get_weather: tool({
    inputSchema: z.object({ city: z.string() }),
    execute: async input => {
      asked.push(input);
      return `-3 °C in ${input.city}`;
    },
  }),
});

describe.each(CROSSED)('the AI SDK, by $name, over an upstream of $kind', ({ kind, model }) => {
  it('generates a text, with usage', async () => {
    const pair = await gatewayOver(kind, helloReply);
    const { text, finishReason, usage } = await generateText({ ...once, model: model(pair) });
    expect({ text, finishReason }).toEqual({ text: 'Hello world', finishReason: 'stop' });
    expect(usage).toMatchObject({ inputTokens: 12, outputTokens: 5, totalTokens: 17 });
  });

  it('streams a text through the steps of a tool', async () => {
    const pair = await gatewayOver(kind, weatherReply, coldReply);
    const asked: unknown[] = [];
    const { textStream, steps, finishReason, totalUsage } = streamText({
      ...once,
      ...stateless,
      model: model(pair),
      tools: weatherTool(asked),
      stopWhen: stepCountIs(3),
    });
    const pieces: string[] = [];
    for await (const piece of textStream) pieces.push(piece);
    expect(pieces).toEqual(['Let me look.', 'It is ', 'cold in Oslo.']);
    expect(asked).toEqual([{ city: 'Oslo' }]);
    expect(await steps).toHaveLength(2);
    expect(await finishReason).toBe('stop');
    expect(await totalUsage).toMatchObject({ inputTokens: 24, outputTokens: 10 });
    expect(readUpstream(kind, pair.upstream.seen[1])).toMatchObject({
      tools: ['get_weather'],
      results: [{ id: 'call_1', content: '-3 °C in Oslo' }],
    });
  });

  it('generates and streams an object', async () => {
    const pair = await gatewayOver(kind, sumReply, sumReply);
    const { object } = await generateObject({ ...once, model: model(pair), schema });
    expect(object).toEqual({ sum: 3 });
    const streamed = streamObject({ ...once, model: model(pair), schema });
    const partials: unknown[] = [];
    for await (const partial of streamed.partialObjectStream) partials.push(partial);
    expect(partials.at(-1)).toEqual({ sum: 3 });
    expect(await streamed.object).toEqual({ sum: 3 });
    expect(readUpstream(kind, pair.upstream.seen[0]).schema).toMatchObject({
      properties: { sum: { type: 'number' } },
    });
  });
});

describe('the AI SDK', () => {
  it.each(KINDS)('shows the thinking of an upstream of %s, where it asks for a summary', async kind => {
    const pair = await gatewayOver(kind, thoughtReply);
    const { reasoningText, text } = await generateText({
      ...once,
      model: openaiOf(pair)('fast'),
      providerOptions: { openai: { ...openai, forceReasoning: true, reasoningSummary: 'auto' } },
    });
    expect({ reasoningText, text }).toEqual({ reasoningText: 'Two and two', text: '4' });
  });

  it('goes through the steps of a tool without being told to send all, if no text is in front', async () => {
    const callAlone: Reply = { calls: weatherReply.calls ?? [] };
    const pair = await gatewayOver('openai-chat', callAlone, coldReply, weatherReply);
    const run = () =>
      generateText({
        ...once,
        model: openaiOf(pair)('fast'),
        tools: weatherTool([]),
        stopWhen: stepCountIs(2),
      });
    expect((await run()).text).toBe('It is cold in Oslo.');
    // Else it refers to the text by its id, which nobody has kept.
    await expect(run()).rejects.toThrow(/keeps no state.*store: false/);
  });

  it('tries again where that is of use', async () => {
    const busy = json(429, { error: { message: 'slow down' } }, { 'retry-after-ms': '10' });
    const pair = await gatewayOver('openai-chat', busy, helloReply);
    const { text } = await generateText({ ...once, maxRetries: 1, model: openaiOf(pair)('fast') });
    expect(text).toBe('Hello world');
    expect(pair.upstream.seen).toHaveLength(2);
  });

  it('knows the status of an error, and whether to try again', async () => {
    const pair = await gatewayOver('openai-chat', helloReply);
    const failure = generateText({ ...once, model: openaiOf(pair).chat('other') });
    await expect(failure).rejects.toThrow(APICallError);
    await expect(failure).rejects.toMatchObject({ statusCode: 404, isRetryable: false });
  });

  it.each(Object.entries(MODELS))('%s ends with an error where the upstream breaks off', async (_, model) => {
    const pair = await gatewayOver('openai-chat', sse([delta({ content: 'Hel' })]));
    const told: unknown[] = [];
    const { fullStream, finishReason } = streamText({
      ...once,
      model: model(pair),
      onError: () => {},
    });
    const reason = finishReason.then(
      how => how,
      () => 'rejected',
    );
    const read = async () => {
      for await (const part of fullStream) {
        if (part.type === 'text-delta') told.push(part.text);
        if (part.type === 'error') told.push(part.error);
      }
    };
    await expect(read()).rejects.toThrow();
    expect(told).toEqual([
      'Hel',
      expect.objectContaining({ message: expect.stringMatching(/closed the stream/) }),
    ]);
    expect(await reason).toBe('rejected');
  });

  it('embeds', async () => {
    const answer = json(200, {
      data: [
        { index: 0, embedding: [1, 2] },
        { index: 1, embedding: [3, 4] },
      ],
      usage: { prompt_tokens: 2, total_tokens: 2 },
    });
    const pair = await gatewayOver('openai-chat', answer);
    const { embeddings, usage } = await embedMany({
      model: openaiOf(pair).embedding('fast'),
      values: ['a', 'b'],
      maxRetries: 0,
    });
    expect(embeddings).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(usage.tokens).toBe(2);
  });
});
