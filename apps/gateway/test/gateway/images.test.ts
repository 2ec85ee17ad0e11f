import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it, onTestFinished } from 'vitest';
import { scriptedServer } from '../../../../test/scripted-server.ts';
import { gatewayOver, helloReply, KINDS, type Pair, scriptOf } from '../kinds.ts';
import { KEY, type RunningGateway, runGateway } from '../running-gateway.ts';
import { readUpstream } from '../upstream-requests.ts';

/** One pixel. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const INLINE = `data:image/png;base64,${PNG}`;
const REMOTE = 'https://example.com/cat.png';

const openaiOf = (gateway: RunningGateway) =>
  new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
const anthropicOf = (gateway: RunningGateway) =>
  new Anthropic({ apiKey: KEY, baseURL: gateway.url, maxRetries: 0 });

const ASK: Readonly<Record<string, (gateway: RunningGateway, url: string) => Promise<unknown>>> = {
  'Chat Completions': (gateway, url) =>
    openaiOf(gateway).chat.completions.create({
      model: 'fast',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url } },
          ],
        },
      ],
    }),
  Responses: (gateway, url) =>
    openaiOf(gateway).responses.create({
      model: 'fast',
      input: [{ role: 'user', content: [{ type: 'input_image', image_url: url, detail: 'auto' }] }],
    }),
  Messages: (gateway, url) => {
    const source: Anthropic.ImageBlockParam['source'] = url.startsWith('data:')
      ? { type: 'base64', media_type: 'image/png', data: url.slice(url.indexOf(',') + 1) }
      : { type: 'url', url };
    return anthropicOf(gateway).messages.create({
      model: 'fast',
      max_tokens: 9,
      messages: [{ role: 'user', content: [{ type: 'image', source }] }],
    });
  },
};

const CROSSED = KINDS.flatMap(kind =>
  Object.entries(ASK).map(([protocol, ask]) => ({ kind, protocol, ask })),
);

it.each(CROSSED)('images of $protocol reach an upstream of $kind', async ({ kind, ask }) => {
  const { gateway, upstream }: Pair = await gatewayOver(kind, helloReply);
  for (const url of [INLINE, REMOTE]) await ask(gateway, url);
  const images = upstream.seen.map(seen => readUpstream(kind, seen).images);
  expect(images).toEqual([[INLINE], [REMOTE]]);
});

describe('a llama-server, which stands inside the network', () => {
  const overLlama = async (...before: { provider: string; model: string }[]) => {
    const llama = await scriptedServer(scriptOf('openai-chat', helloReply));
    const cloud = await scriptedServer(scriptOf('openai-chat', helloReply));
    onTestFinished(async () => {
      await llama.close();
      await cloud.close();
    });
    const gateway = await runGateway({
      providers: {
        local: { type: 'llamaserver', baseUrl: llama.url, maxRetries: 0 },
        cloud: { type: 'openai', baseUrl: `${cloud.url}/v1`, maxRetries: 0 },
      },
      models: { fast: { targets: [...before, { provider: 'local', model: 'up-model' }] } },
    });
    return { gateway, llama, cloud };
  };

  it('gets images that are inline', async () => {
    const { gateway, llama } = await overLlama();
    await ASK['Messages']?.(gateway, INLINE);
    expect(readUpstream('openai-chat', llama.seen[0]).images).toEqual([INLINE]);
  });

  it.each(Object.entries(ASK))('is never made to fetch one, by %s', async (_, ask) => {
    const { gateway, llama } = await overLlama();
    for (const url of [REMOTE, 'http://127.0.0.1:9/admin']) {
      await expect(ask(gateway, url)).rejects.toThrow(/takes no images by address.*data: URL/);
    }
    expect(llama.seen).toEqual([]);
  });

  it('is not made to as a fallback either', async () => {
    const { gateway, llama, cloud } = await overLlama({ provider: 'cloud', model: 'up-model' });
    await expect(ASK['Responses']?.(gateway, REMOTE)).rejects.toMatchObject({ status: 400 });
    expect([...llama.seen, ...cloud.seen]).toEqual([]);
  });
});
