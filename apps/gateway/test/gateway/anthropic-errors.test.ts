import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { json, sse } from '../../../../test/scripted-server.ts';
import { gatewayOver, helloReply, KINDS, type Pair } from '../kinds.ts';
import { KEY } from '../running-gateway.ts';
import { delta } from '../upstreams.ts';

const clientOf = ({ gateway }: Pair, options: { apiKey?: string; maxRetries?: number } = {}) =>
  new Anthropic({ apiKey: KEY, maxRetries: 0, ...options, baseURL: gateway.url });
const question = {
  model: 'fast',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'Hi' }],
};
const typed = (type: string, message: RegExp) => ({
  error: { type: 'error', error: { type, message: expect.stringMatching(message) } },
});

describe('the Anthropic SDK', () => {
  it('shows its key either way', async () => {
    const pair = await gatewayOver('openai-chat', helloReply);
    const bearer = new Anthropic({ authToken: KEY, apiKey: null, baseURL: pair.gateway.url });
    for (const client of [clientOf(pair), bearer]) {
      expect((await client.messages.create(question)).stop_reason).toBe('end_turn');
    }
  });

  it('knows a key that nobody has, by its class', async () => {
    const failure = clientOf(await gatewayOver('openai-chat', helloReply), {
      apiKey: 'xg-nobody',
    }).messages.create(question);
    await expect(failure).rejects.toThrow(Anthropic.AuthenticationError);
    await expect(failure).rejects.toMatchObject(typed('authentication_error', /not one of this gateway/));
  });

  it('knows a model that is not there, by its class', async () => {
    const client = clientOf(await gatewayOver('openai-chat', helloReply));
    const asked = { ...question, model: 'other' };
    for (const failure of [client.messages.create(asked), client.messages.countTokens(asked)]) {
      await expect(failure).rejects.toThrow(Anthropic.NotFoundError);
      await expect(failure).rejects.toMatchObject(typed('not_found_error', /known: fast/));
    }
  });

  it('knows a field that is wrong, by its name', async () => {
    const client = clientOf(await gatewayOver('openai-chat', helloReply));
    const failure = client.messages.create({ ...question, max_tokens: 0 });
    await expect(failure).rejects.toThrow(Anthropic.BadRequestError);
    await expect(failure).rejects.toMatchObject(typed('invalid_request_error', /max_tokens/));
  });

  it.each(KINDS)('waits as long as an upstream of %s says, and no longer', async kind => {
    const busy = json(429, { error: { message: 'slow down' } }, { 'retry-after-ms': '30' });
    const pair = await gatewayOver(kind, busy, busy, helloReply);
    const failure = clientOf(pair).messages.create(question);
    await expect(failure).rejects.toThrow(Anthropic.RateLimitError);
    await expect(failure).rejects.toMatchObject(typed('rate_limit_error', /slow down/));
    // Its own retry reads the header.
    const answer = await clientOf(pair, { maxRetries: 1 }).messages.create(question);
    expect(answer.content).toMatchObject([{ text: 'Hello world' }]);
    expect(pair.upstream.seen).toHaveLength(3);
  });

  it('knows an upstream that is overloaded', async () => {
    const pair = await gatewayOver(
      'anthropic-messages',
      json(529, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
    );
    const failure = clientOf(pair).messages.create(question);
    await expect(failure).rejects.toThrow(Anthropic.InternalServerError);
    await expect(failure).rejects.toMatchObject(typed('overloaded_error', /Overloaded/));
  });

  it('throws in mid-stream where the upstream breaks off, and where it just ends', async () => {
    const pair = await gatewayOver(
      'openai-chat',
      sse([delta({ content: 'Hel' }), { error: { message: 'it broke', code: 500 } }]),
      sse([delta({ content: 'Hel' })]),
    );
    for (const problem of [/it broke/, /closed the stream/]) {
      const stream = clientOf(pair).messages.stream(question);
      let text = '';
      stream.on('text', piece => {
        text += piece;
      });
      const failure = stream.finalMessage();
      await expect(failure).rejects.toThrow(Anthropic.APIError);
      await expect(failure).rejects.toMatchObject(typed('api_error', problem));
      expect(text).toBe('Hel');
    }
  });
});

describe('count_tokens', () => {
  it.each([
    // Anthropic calls its own count an estimate.
    { kind: 'anthropic-messages', path: '/v1/messages/count_tokens', count: 'estimate' },
    { kind: 'openai-responses', path: '/v1/responses/input_tokens', count: 'exact' },
  ] as const)('is the count of an upstream of $kind', async ({ kind, path, count }) => {
    const pair = await gatewayOver(kind, json(200, { input_tokens: 42 }));
    const tools = [{ name: 'f', input_schema: { type: 'object' as const } }];
    const { data, response } = await clientOf(pair)
      .messages.countTokens({ model: 'fast', messages: question.messages, tools })
      .withResponse();
    expect(data).toEqual({ input_tokens: 42 });
    expect(response.headers.get('x-gateway-count')).toBe(count);
    expect(pair.upstream.seen[0]).toMatchObject({
      path,
      body: { model: 'up-model', tools: [{ name: 'f' }] },
    });
  });

  it('is an estimate elsewhere, and says so', async () => {
    const pair = await gatewayOver('openai-chat', helloReply);
    const content = 'word '.repeat(400);
    const { data, response } = await clientOf(pair)
      .messages.countTokens({ model: 'fast', messages: [{ role: 'user', content }] })
      .withResponse();
    expect(data.input_tokens).toBeGreaterThan(400);
    expect(data.input_tokens).toBeLessThan(800);
    expect(response.headers.get('x-gateway-count')).toBe('estimate');
    expect(pair.upstream.seen).toEqual([]);
  });
});
