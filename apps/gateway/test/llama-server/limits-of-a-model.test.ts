// What a real llama-server cannot do, or is not to go on with, as clients see it.
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RealLlamaServer, startLlamaServer } from '../../../../test/real-llama-server.ts';
import { KEY, runGateway } from '../running-gateway.ts';

const messages = [{ role: 'user' as const, content: 'What is 2+2?' }];

async function over(server: RealLlamaServer) {
  const { url } = await runGateway({
    providers: { local: { type: 'llamaserver', baseUrl: server.url } },
    models: { pilot: { targets: [{ provider: 'local' }] } },
  });
  return {
    openai: new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 }),
    anthropic: new Anthropic({ apiKey: KEY, baseURL: url, maxRetries: 0 }),
  };
}

describe('a llama-server', () => {
  let server: RealLlamaServer;
  beforeAll(async () => {
    server = await startLlamaServer();
  });
  afterAll(() => server?.stop());

  it('counts the tokens of a prompt exactly', async () => {
    const { anthropic } = await over(server);
    const { data, response } = await anthropic.messages
      .countTokens({ model: 'pilot', messages })
      .withResponse();
    expect(response.headers.get('x-gateway-count')).toBe('exact');
    const { usage } = await anthropic.messages.create({ model: 'pilot', max_tokens: 9, messages });
    expect(data.input_tokens).toBe(usage.input_tokens + (usage.cache_read_input_tokens ?? 0));
  });

  it('takes no prompt longer than its context, in the words of each protocol', async () => {
    const { openai, anthropic } = await over(server);
    const content = 'What is 2+2? '.repeat(400);
    const long = [{ role: 'user' as const, content }];
    const problem = { status: 400, code: 'context_length_exceeded' };
    const chat = { model: 'pilot', messages: long };
    await expect(openai.chat.completions.create(chat)).rejects.toMatchObject(problem);
    await expect(openai.chat.completions.create({ ...chat, stream: true })).rejects.toMatchObject(problem);
    await expect(openai.responses.create({ model: 'pilot', input: content })).rejects.toMatchObject(problem);
    const failure = anthropic.messages.create({ ...chat, max_tokens: 9 });
    await expect(failure).rejects.toThrow(Anthropic.BadRequestError);
    await expect(failure).rejects.toThrow(/prompt is too long: \d+ tokens > 1024 maximum/);
  });

  it('says that its model sees nothing', async () => {
    const { openai } = await over(server);
    const url = 'data:image/png;base64,iVBORw0KGgo=';
    const content = [{ type: 'image_url' as const, image_url: { url } }];
    const asked = { model: 'pilot', messages: [{ role: 'user' as const, content }] };
    await expect(openai.chat.completions.create(asked)).rejects.toThrow(/image/);
  });

  it('stops when the client leaves, stream or not', async () => {
    const { openai } = await over(server);
    const endless = { model: 'pilot', messages, max_tokens: 900, ignore_eos: true };
    const stream = await openai.chat.completions.create({ ...endless, stream: true });
    for await (const _ of stream) break;
    await server.idle();
    const leaving = new AbortController();
    const answer = openai.chat.completions.create(endless, { signal: leaving.signal });
    setTimeout(() => leaving.abort(), 100);
    await expect(answer).rejects.toThrow(OpenAI.APIUserAbortError);
    await server.idle();
  });
});

describe('a llama-server that embeds', () => {
  let server: RealLlamaServer;
  beforeAll(async () => {
    server = await startLlamaServer({ embeddings: true });
  });
  afterAll(() => server?.stop());

  it('gives the same vectors in base64, which is the default, and as numbers', async () => {
    const { openai } = await over(server);
    const asked = { model: 'pilot', input: ['What is 2+2?', 'Where is the pilot?'] };
    const packed = await openai.embeddings.create(asked);
    const plain = await openai.embeddings.create({ ...asked, encoding_format: 'float' });
    expect(packed.data).toHaveLength(2);
    for (const [index, { embedding }] of packed.data.entries()) {
      const numbers = plain.data[index]?.embedding.map(Math.fround);
      expect(embedding.map(Math.fround)).toEqual(numbers);
      expect(embedding.length).toBeGreaterThan(8);
    }
    expect(packed.usage).toMatchObject({ cost: 0, prompt_tokens: expect.any(Number) });
  });
});
