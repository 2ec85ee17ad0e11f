import { type AIMessageChunk, HumanMessage, ToolMessage, type UsageMetadata } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { json, sse } from '../../../../test/scripted-server.ts';
import { coldReply, gatewayOver, helloReply, KINDS, type Pair, sumReply, weatherReply } from '../kinds.ts';
import { KEY } from '../running-gateway.ts';
import { readUpstream } from '../upstream-requests.ts';
import { delta } from '../upstreams.ts';

const options = ({ gateway }: Pair) => ({
  apiKey: KEY,
  maxRetries: 0,
  configuration: { baseURL: `${gateway.url}/v1` },
});
const chatOf = (pair: Pair, more: { useResponsesApi?: boolean } = {}) =>
  new ChatOpenAI({ ...options(pair), ...more, model: 'fast' });

const WAYS = { completions: {}, responses: { useResponsesApi: true } };
const CROSSED = KINDS.flatMap(kind => Object.entries(WAYS).map(([name, way]) => ({ kind, name, way })));

const getWeather = tool(({ city }: { city: string }) => `-3 °C in ${city}`, {
  name: 'get_weather',
  description: 'The weather of a city',
  schema: z.object({ city: z.string() }),
});

describe.each(CROSSED)('ChatOpenAI of LangChain, by $name, over an upstream of $kind', ({ kind, way }) => {
  it('is invoked', async () => {
    const pair = await gatewayOver(kind, helloReply);
    const message = await chatOf(pair, way).invoke('Hi');
    expect(message.text).toBe('Hello world');
    expect(message.usage_metadata).toMatchObject({ input_tokens: 12, output_tokens: 5, total_tokens: 17 });
  });

  it('streams', async () => {
    const pair = await gatewayOver(kind, helloReply);
    const pieces: string[] = [];
    let usage: UsageMetadata | undefined;
    for await (const chunk of await chatOf(pair, way).stream('Hi')) {
      if (chunk.text !== '') pieces.push(chunk.text);
      usage = chunk.usage_metadata ?? usage;
    }
    expect(pieces).toEqual(['Hello', ' world']);
    expect(usage).toMatchObject({ total_tokens: 17 });
  });

  it('binds tools, and gives their results back', async () => {
    const pair = await gatewayOver(kind, weatherReply, coldReply);
    const model = chatOf(pair, way).bindTools([getWeather]);
    const question = new HumanMessage('Weather in Oslo?');
    let call: AIMessageChunk | undefined;
    for await (const chunk of await model.stream([question])) call = call?.concat(chunk) ?? chunk;
    expect(call?.tool_calls).toMatchObject([{ id: 'call_1', name: 'get_weather', args: { city: 'Oslo' } }]);
    const results: ToolMessage[] = [];
    for (const { id = '', args } of call?.tool_calls ?? []) {
      const content = await getWeather.invoke(args as { city: string });
      results.push(new ToolMessage({ content, tool_call_id: id }));
    }
    const answer = await model.invoke([question, ...(call ? [call] : []), ...results]);
    expect(answer.text).toBe('It is cold in Oslo.');
    expect(readUpstream(kind, pair.upstream.seen[1])).toMatchObject({
      tools: ['get_weather'],
      results: [{ id: 'call_1', content: '-3 °C in Oslo' }],
    });
  });

  it('gets structured output', async () => {
    const pair = await gatewayOver(kind, sumReply);
    const model = chatOf(pair, way).withStructuredOutput(z.object({ sum: z.number() }), {
      method: 'jsonSchema',
      name: 'sum',
    });
    expect(await model.invoke('1 + 2?')).toEqual({ sum: 3 });
    expect(readUpstream(kind, pair.upstream.seen[0]).schema).toMatchObject({
      properties: { sum: { type: 'number' } },
    });
  });
});

describe('LangChain', () => {
  it('knows a model that is not there', async () => {
    const pair = await gatewayOver('openai-chat', helloReply);
    const model = new ChatOpenAI({ ...options(pair), model: 'other' });
    await expect(model.invoke('Hi')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  });

  it.each(Object.entries(WAYS))(
    'throws in mid-stream, by %s, where the upstream breaks off',
    async (_, way) => {
      const pair = await gatewayOver('openai-chat', sse([delta({ content: 'Hel' })]));
      let text = '';
      const read = async () => {
        for await (const chunk of await chatOf(pair, way).stream('Hi')) text += chunk.text;
      };
      await expect(read()).rejects.toThrow(/closed the stream/);
      expect(text).toBe('Hel');
    },
  );

  it('embeds', async () => {
    const answer = json(200, {
      data: [{ index: 0, embedding: [1, 2] }],
      usage: { prompt_tokens: 2, total_tokens: 2 },
    });
    const pair = await gatewayOver('openai-chat', answer);
    const embeddings = new OpenAIEmbeddings({ ...options(pair), model: 'fast' });
    expect(await embeddings.embedQuery('a wing')).toEqual([1, 2]);
  });
});
