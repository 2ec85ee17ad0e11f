import { collect } from '@x/airframe';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { json } from '../../../../test/scripted-server.ts';
import { busy, messagesAnswer, messagesStream, serving, silent } from '../../test/scripted-clouds.ts';
import { AnthropicProvider } from './anthropic.ts';

const serve = serving<AnthropicProvider>();
const apiKey = 'sk-ant-given-in-code';

beforeEach(() => {
  for (const name of ['API_KEY', 'BASE_URL', 'MODEL']) vi.stubEnv(`ANTHROPIC_${name}`, '');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('AnthropicProvider', () => {
  it('has the documented defaults', () => {
    vi.stubEnv('ANTHROPIC_API_KEY', 'sk-ant-of-environment');
    const provider = new AnthropicProvider();
    expect(provider.supportsStreaming).toBe(true);
    expect(provider.getStats().adapter).toEqual({
      kind: 'anthropic_messages',
      endpoint: 'anthropic',
      baseUrl: 'https://api.anthropic.com',
      timeouts: { headersMs: 60_000, idleMs: 60_000 },
      maxRetries: 3,
    });
  });

  it('asks the Messages API and counts what it cost', async () => {
    const { provider, seen } = await serve(
      url => new AnthropicProvider({ apiKey, baseUrl: url }),
      messagesAnswer,
    );
    expect(await provider.generate('claude-sonnet-4-5', 'Hi')).toBe('Hello');
    expect(seen[0]).toMatchObject({
      path: '/v1/messages',
      headers: { 'x-api-key': apiKey },
      body: { model: 'claude-sonnet-4-5', max_tokens: 4096 },
    });
    expect(seen[0]?.body).not.toHaveProperty('temperature');
    expect(provider.getStats().costUsd).toBeCloseTo((12 * 0.003 + 1 * 0.015) / 1_000, 12);
  });

  // Anthropic's price list, 2026: Sonnet 4.5 takes 3 USD for a million prompt tokens and 15 for as many of the answer;
  // a cache write costs 1.25 times the price of the prompt for five minutes, twice the price for an hour.
  it.each([false, true])(
    'has what is written to the cache for an hour at twice the price, stream: %s',
    async stream => {
      const usage = {
        input_tokens: 1_000,
        cache_creation_input_tokens: 50_000,
        cache_creation: { ephemeral_5m_input_tokens: 20_000, ephemeral_1h_input_tokens: 30_000 },
        output_tokens: 1,
      };
      const content = [{ type: 'text', text: 'Hello' }];
      const whole = {
        type: 'message',
        id: 'msg_1',
        model: 'claude-sonnet-4-5',
        content,
        stop_reason: 'end_turn',
      };
      const { provider } = await serve(
        url => new AnthropicProvider({ apiKey, baseUrl: url }),
        stream ? messagesStream(usage) : json(200, { ...whole, usage }),
      );
      const messages = [{ role: 'user' as const, content: 'Hi' }];
      const { usage: read } = await collect(provider.infer({ model: 'claude-sonnet-4-5', messages, stream }));
      expect(read).toMatchObject({
        promptTokens: 51_000,
        cacheWriteTokens: 50_000,
        cacheWrite1hTokens: 30_000,
      });
      const million = 1_000 * 3 + 20_000 * 3.75 + 30_000 * 6 + 1 * 15;
      expect(provider.getStats().costUsd).toBeCloseTo(million / 1e6, 12);
    },
  );

  it('takes key, address and model from the environment, and code comes first', async () => {
    vi.stubEnv('ANTHROPIC_API_KEY', 'sk-ant-of-environment');
    vi.stubEnv('ANTHROPIC_MODEL', 'claude-a');
    const { provider, seen } = await serve(url => {
      vi.stubEnv('ANTHROPIC_BASE_URL', url);
      return new AnthropicProvider();
    }, messagesAnswer);
    await provider.generate('', 'Hi');
    expect(seen[0]).toMatchObject({
      headers: { 'x-api-key': 'sk-ant-of-environment' },
      body: { model: 'claude-a' },
    });
    const defaults = { maxTokens: 77, temperature: 1 };
    const second = await serve(
      url => new AnthropicProvider({ apiKey, baseUrl: url, model: 'claude-b', defaults }),
      messagesAnswer,
    );
    await second.provider.generate('', 'Hi');
    expect(second.seen[0]).toMatchObject({
      headers: { 'x-api-key': apiKey },
      body: { model: 'claude-b', max_tokens: 77, temperature: 1 },
    });
  });

  it('says which variable a key or a model is missing from', async () => {
    expect(() => new AnthropicProvider()).toThrow(
      'provider anthropic has no API key; set ANTHROPIC_API_KEY or give apiKey',
    );
    const provider = new AnthropicProvider({ apiKey });
    await expect(provider.generate('', 'Hi')).rejects.toThrow(
      'provider anthropic was given no model; name one in the call or set ANTHROPIC_MODEL',
    );
  });

  it('tries three times more, or as often as told', async () => {
    const { provider, seen } = await serve(url => new AnthropicProvider({ apiKey, baseUrl: url }), busy);
    await expect(provider.generate('m', 'x')).rejects.toMatchObject({ category: 'overloaded' });
    expect(seen).toHaveLength(4);
    const once = await serve(url => new AnthropicProvider({ apiKey, baseUrl: url, maxRetries: 1 }), busy);
    await expect(once.provider.generate('m', 'x')).rejects.toMatchObject({ category: 'overloaded' });
    expect(once.seen).toHaveLength(2);
  });

  it('gives up on a server that is silent for longer than its timeout', async () => {
    const { provider } = await serve(
      url => new AnthropicProvider({ apiKey, baseUrl: url, timeout: 20, maxRetries: 0 }),
      silent,
    );
    await expect(provider.generate('m', 'x')).rejects.toMatchObject({ category: 'timeout' });
  });

  it('tells what to do about a key that is refused', async () => {
    const refusal = { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } };
    const { provider } = await serve(
      url => new AnthropicProvider({ apiKey, baseUrl: url }),
      json(401, refusal),
    );
    await expect(provider.generate('m', 'x')).rejects.toMatchObject({
      category: 'auth',
      message: expect.stringContaining('set ANTHROPIC_API_KEY'),
    });
    expect(await provider.healthCheck()).toBe(false);
  });

  it('counts tokens, lists models, and has no embeddings', async () => {
    const { provider } = await serve(
      url => new AnthropicProvider({ apiKey, baseUrl: url }),
      json(200, { input_tokens: 7 }),
      json(200, { data: [{ id: 'claude-a', display_name: 'Claude A' }], has_more: false }),
    );
    const messages = [{ role: 'user' as const, content: 'x' }];
    expect(await provider.countTokens({ model: 'm', messages })).toEqual({ tokens: 7, exact: false });
    expect(await provider.listModels()).toMatchObject([{ id: 'claude-a', displayName: 'Claude A' }]);
    await expect(provider.embed({ input: 'x' })).rejects.toMatchObject({
      category: 'invalid_request',
      code: 'unsupported',
      message: 'provider anthropic has no embed',
    });
    expect(provider.getStats().requests).toBe(0);
  });

  it('is ready at a server that answers without a list of models', async () => {
    const { provider } = await serve(url => new AnthropicProvider({ apiKey, baseUrl: url }), json(404, {}));
    expect(await provider.healthCheck()).toBe(true);
  });
});
