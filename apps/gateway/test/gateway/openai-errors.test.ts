import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { json, sse } from '../../../../test/scripted-server.ts';
import { gatewayOver, helloReply, KINDS, type Pair } from '../kinds.ts';
import { KEY } from '../running-gateway.ts';
import { delta } from '../upstreams.ts';

const clientOf = ({ gateway }: Pair, options: { apiKey?: string; maxRetries?: number } = {}) =>
  new OpenAI({ apiKey: KEY, maxRetries: 0, ...options, baseURL: `${gateway.url}/v1` });
const question = { model: 'fast', messages: [{ role: 'user' as const, content: 'Hi' }] };
type Problem = InstanceType<typeof OpenAI.APIError>;

describe('openai-node', () => {
  it('knows a key that nobody has, by its class', async () => {
    const pair = await gatewayOver('openai-chat', helloReply);
    const failure = clientOf(pair, { apiKey: 'xg-nobody' }).chat.completions.create(question);
    await expect(failure).rejects.toThrow(OpenAI.AuthenticationError);
    await expect(failure).rejects.toMatchObject({
      status: 401,
      code: 'invalid_api_key',
      type: 'authentication_error',
      requestID: expect.stringMatching(/^[\da-f-]{36}$/),
    });
    expect(pair.upstream.seen).toEqual([]);
  });

  it('knows a model that is not there, by its class, and learns which are', async () => {
    const client = clientOf(await gatewayOver('openai-chat', helloReply));
    for (const failure of [
      client.chat.completions.create({ ...question, model: 'other' }),
      client.responses.create({ model: 'other', input: 'Hi' }),
      client.completions.create({ model: 'other', prompt: 'Hi' }),
      client.embeddings.create({ model: 'other', input: 'Hi' }),
    ]) {
      await expect(failure).rejects.toThrow(OpenAI.NotFoundError);
      await expect(failure).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
      await expect(failure).rejects.toThrow(/"other"; known: fast/);
    }
  });

  it('knows a field that is wrong, by its name', async () => {
    const client = clientOf(await gatewayOver('openai-chat', helloReply));
    const chat = client.chat.completions.create({ ...question, temperature: -1 });
    await expect(chat).rejects.toThrow(OpenAI.BadRequestError);
    await expect(chat).rejects.toThrow(/temperature/);
    const response = client.responses.create({ model: 'fast', previous_response_id: 'resp_1' });
    await expect(response).rejects.toThrow(/previous_response_id.*keeps no state/);
  });

  it('learns by a header what it asked for in vain', async () => {
    const client = clientOf(await gatewayOver('openai-chat', helloReply));
    const { response } = await client.chat.completions
      .create({ ...question, store: true, user: 'u', modalities: ['text'] })
      .withResponse();
    expect(response.headers.get('x-gateway-ignored')).toBe('store, modalities');
  });

  it.each(KINDS)('waits as long as an upstream of %s says, and no longer', async kind => {
    const busy = json(429, { error: { message: 'slow down' } }, { 'retry-after-ms': '30' });
    const pair = await gatewayOver(kind, busy, busy, helloReply);
    const problem = (await clientOf(pair)
      .chat.completions.create(question)
      .catch((error: unknown) => error)) as Problem;
    expect(problem).toBeInstanceOf(OpenAI.RateLimitError);
    expect(problem).toMatchObject({ code: 'rate_limit_exceeded', type: 'rate_limit_error' });
    expect(problem.headers?.get('retry-after-ms')).toBe('30');
    expect(problem.headers?.get('retry-after')).toBe('1');
    // Its own retry reads the header.
    const answer = await clientOf(pair, { maxRetries: 1 }).chat.completions.create(question);
    expect(answer.choices[0]?.message.content).toBe('Hello world');
    expect(pair.upstream.seen).toHaveLength(3);
  });

  it.each(KINDS)('knows an upstream of %s that fails, by its class, and is told no key', async kind => {
    const pair = await gatewayOver(kind, json(401, { error: { message: 'bad key sk-live-0123456789' } }));
    const failure = clientOf(pair).chat.completions.create({ ...question, stream: true });
    await expect(failure).rejects.toThrow(OpenAI.InternalServerError);
    // The gateway's own key is its operator's to mend.
    await expect(failure).rejects.toMatchObject({ status: 502 });
    await expect(failure).rejects.not.toThrow(/0123456789/);
  });

  it('throws in mid-stream where the upstream breaks off', async () => {
    const pair = await gatewayOver(
      'openai-chat',
      sse([delta({ content: 'Hel' }), { error: { message: 'it broke', code: 500 } }]),
      sse([delta({ content: 'Hel' })]),
    );
    const client = clientOf(pair);
    const read = async () => {
      let text = '';
      try {
        for await (const chunk of await client.chat.completions.create({ ...question, stream: true })) {
          text += chunk.choices[0]?.delta.content ?? '';
        }
      } catch (error) {
        return { text, error };
      }
      return { text };
    };
    expect(await read()).toMatchObject({ text: 'Hel', error: { message: expect.stringMatching(/broke/) } });
    expect(await read()).toMatchObject({ text: 'Hel', error: expect.any(OpenAI.APIError) });
    const streamed = clientOf(pair).responses.stream({ model: 'fast', input: 'Hi' }).finalResponse();
    await expect(streamed).rejects.toThrow(/closed the stream/);
  });
});
