import { AirframeError, type Message } from '@x/airframe';
import { describe, expect, it, vi } from 'vitest';
import { CostCalculator } from '../cost/calculator.ts';
import { silentLogger } from '../logger.ts';
import { LLMProvider } from '../providers/base.ts';
import { LlamaServerProvider } from '../providers/llama-server.ts';
import { MockProvider, type MockProviderOptions } from '../providers/mock.ts';
import { getSettings } from '../settings/settings.ts';
import { LLMGateway, type LLMGatewayOptions } from './gateway.ts';
import type { StreamingChunk } from './response.ts';

const settings = getSettings({ PLANNER_MODEL: 'planner-model', DEFAULT_MODEL: 'default-model' });
const prices = {
  main: { mock: { prompt: 0.01, completion: 0.02 } },
  backup: { mock: { prompt: 1, completion: 1 } },
};
const costCalculator = new CostCalculator({ prices });

/** A gateway whose llamaserver is the mock `main`, with the mock `backup` behind it. */
function gatewayOf(
  main: MockProviderOptions['responses'] = ['one two three'],
  options: LLMGatewayOptions & { backup?: MockProviderOptions['responses'] } = {},
) {
  const { backup, ...rest } = options;
  const provider = (name: string, responses: MockProviderOptions['responses']) =>
    new MockProvider({ name, costCalculator, ...(responses ? { responses } : {}) });
  const providers = { llamaserver: provider('main', main), backup: provider('backup', backup) };
  const gateway = new LLMGateway(settings, { providers, fallbackProviders: ['backup'], ...rest });
  return { gateway, main: providers.llamaserver, backup: providers.backup };
}

async function read(
  stream: AsyncIterable<StreamingChunk>,
): Promise<{ chunks: StreamingChunk[]; error?: unknown }> {
  const chunks: StreamingChunk[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
  } catch (error) {
    return { chunks, error };
  }
  return { chunks };
}

describe('complete', () => {
  it('returns the answer with what it took', async () => {
    const { gateway, main } = gatewayOf();
    const response = await gateway.complete({
      prompt: 'Hi',
      system: 'Be brief',
      agentName: 'planner',
      maxTokens: 50,
    });
    expect(main.requests[0]).toEqual({
      model: 'planner-model',
      messages: [
        { role: 'system', content: 'Be brief' },
        { role: 'user', content: 'Hi' },
      ],
      maxTokens: 50,
    });
    const { promptTokens } = response;
    expect(response).toMatchObject({
      text: 'one two three',
      toolCalls: [],
      tokensUsed: promptTokens + 3,
      completionTokens: 3,
      provider: 'llamaserver',
      model: 'mock',
      streamed: false,
      metadata: {
        agentName: 'planner',
        finishReason: 'stop',
        usage: { completionTokens: 3, source: 'reported' },
        attempts: [{ number: 1, provider: 'llamaserver', model: 'planner-model', outcome: 'ok' }],
        priced: true,
        message: { role: 'assistant', content: 'one two three' },
      },
    });
    expect(response.costUsd).toBeCloseTo((promptTokens * 0.01 + 3 * 0.02) / 1_000, 12);
    expect(response.latencyMs).toBeGreaterThan(0);
    expect(response.timestamp).toBeInstanceOf(Date);
  });

  it('knows the cost of an answer behind a try of unknown price that used nothing', async () => {
    const costCalculator = new CostCalculator({ prices: { backup: prices.backup } });
    const refused = () => {
      throw new AirframeError('backend', 'down', { status: 500 });
    };
    const providers = {
      llamaserver: new MockProvider({ name: 'main', costCalculator, responses: refused }),
      backup: new MockProvider({ name: 'backup', costCalculator, responses: ['one'] }),
    };
    const gateway = new LLMGateway(settings, { providers, fallbackProviders: ['backup'], costCalculator });
    const { metadata, costUsd } = await gateway.complete({ prompt: 'Hi' });
    expect(metadata.attempts.map(({ outcome }) => outcome)).toEqual(['backend', 'ok']);
    expect(metadata.priced).toBe(true);
    expect(costUsd).toBeGreaterThan(0);
  });

  it('takes a conversation, tools, and the model named in the call', async () => {
    const toolCalls = [{ id: 't1', name: 'add', arguments: '{"a":1}' }];
    const { gateway, main } = gatewayOf([{ toolCalls }]);
    const messages: Message[] = [{ role: 'user', content: '1+1' }];
    const tools = [{ name: 'add', parameters: { type: 'object' } }];
    const response = await gateway.complete({ messages, tools, model: 'other', temperature: 0, stop: ['x'] });
    expect(main.requests[0]).toEqual({ model: 'other', messages, tools, temperature: 0, stop: ['x'] });
    expect(response).toMatchObject({ text: '', toolCalls: [{ ...toolCalls[0], input: { a: 1 } }] });
    expect(response.metadata.finishReason).toBe('tool_calls');
  });

  it('wants to know clearly what is asked', async () => {
    const { gateway } = gatewayOf();
    const wrong = [
      {},
      { prompt: 'x', messages: [] },
      { messages: [{ role: 'system', content: 'a' }], system: 'b' },
    ] as unknown as Parameters<LLMGateway['complete']>[0][];
    const timeless = [
      { deadlineMs: Number.POSITIVE_INFINITY },
      { timeouts: { totalMs: -5 } },
      { timeouts: { totalMs: Number.NaN } },
    ].map(said => ({ prompt: 'x', ...said }));
    for (const request of [...wrong, ...timeless]) {
      await expect(gateway.complete(request)).rejects.toMatchObject({ category: 'invalid_request' });
    }
    expect(gateway.getStats()).toMatchObject({ requests: 6, failed: 6, inFlight: 0, providers: {} });
  });
});

describe('completeStream', () => {
  it('yields text as it comes, and one final chunk with the response', async () => {
    const streamingCallback = vi.fn();
    const { gateway } = gatewayOf([{ reasoning: 'hm', text: 'one two' }], { streamingCallback });
    const { chunks } = await read(gateway.completeStream({ prompt: 'Hi', agentName: 'writer' }));
    expect(chunks.map(({ text, isFinal, cumulativeTokens }) => [text, isFinal, cumulativeTokens])).toEqual([
      ['one', false, 2],
      [' two', false, 3],
      ['', true, 3],
    ]);
    expect(chunks[0]).toMatchObject({ agentName: 'writer', provider: 'llamaserver', model: 'default-model' });
    expect(new Set(chunks.map(chunk => chunk.requestId)).size).toBe(1);
    expect(chunks.at(-1)?.response).toMatchObject({ text: 'one two', streamed: true, model: 'mock' });
    expect(streamingCallback.mock.calls.map(([chunk]) => chunk)).toEqual(chunks);
  });

  it('asks nobody before it is read', async () => {
    const { gateway, main } = gatewayOf();
    gateway.completeStream({ prompt: 'Hi' });
    await gateway.completeStream({ prompt: 'Hi' }).return?.();
    expect(main.requests).toHaveLength(0);
    expect(gateway.getStats().requests).toBe(0);
  });

  it('lets no broken streaming callback disturb it', async () => {
    const error = vi.fn();
    const streamingCallback = () => {
      throw new Error('oops');
    };
    const { gateway } = gatewayOf(['a'], { streamingCallback, logger: { ...silentLogger, error } });
    expect((await read(gateway.completeStream({ prompt: 'Hi' }))).chunks).toHaveLength(2);
    expect(error).toHaveBeenCalledTimes(2);
    gateway.setStreamingCallback(undefined);
    await read(gateway.completeStream({ prompt: 'Hi' }));
    expect(error).toHaveBeenCalledTimes(2);
  });
});

describe('fallback', () => {
  it('asks the next provider when one fails before its first output, and counts both', async () => {
    const error = new AirframeError('auth', 'bad key');
    const warn = vi.fn();
    const { gateway, backup } = gatewayOf([{ error, usage: { promptTokens: 1_000, completionTokens: 0 } }], {
      logger: { ...silentLogger, warn },
    });
    const response = await gateway.complete({ prompt: 'Hi', model: 'gpt-4' });
    expect(response).toMatchObject({ provider: 'backup', text: 'mock answer to: Hi' });
    expect(response.metadata.attempts).toMatchObject([
      { number: 1, provider: 'llamaserver', model: 'gpt-4', outcome: 'auth', message: 'bad key' },
      { number: 2, provider: 'backup', outcome: 'ok' },
    ]);
    expect(backup.requests[0]).not.toHaveProperty('model');
    // What a backend said may quote the prompt.
    expect(warn).toHaveBeenCalledWith(
      'provider llamaserver failed',
      expect.objectContaining({ error: 'auth' }),
    );
    expect(response.costUsd).toBeCloseTo(0.01 + (response.tokensUsed * 1) / 1_000, 9);
    expect(gateway.getStats()).toMatchObject({
      requests: 1,
      succeeded: 1,
      failed: 0,
      fallbacks: 1,
      promptTokens: 1_000 + response.promptTokens,
      providers: {
        llamaserver: { requests: 1, errors: 1, promptTokens: 1_000 },
        backup: { requests: 1, errors: 0 },
      },
    });
  });

  it('leaves an error after the first output to the caller, with all chunks and the tokens counted', async () => {
    const error = new AirframeError('backend', 'out of memory');
    const { gateway, backup } = gatewayOf([{ text: 'one two', error }]);
    const { chunks, error: thrown } = await read(gateway.completeStream({ prompt: 'Hi' }));
    expect(chunks.map(chunk => [chunk.text, chunk.isFinal])).toEqual([
      ['one', false],
      [' two', false],
    ]);
    expect(thrown).toMatchObject({
      category: 'backend',
      message: 'out of memory',
      attempts: [{ outcome: 'backend' }],
    });
    expect(backup.requests).toHaveLength(0);
    expect(gateway.getStats()).toMatchObject({
      failed: 1,
      completionTokens: 2,
      providers: { llamaserver: { errors: 1 } },
    });
  });

  it('does not ask another provider to repeat the caller’s own mistake', async () => {
    const { gateway, backup } = gatewayOf([new AirframeError('invalid_request', 'temperature is 9')]);
    await expect(gateway.complete({ prompt: 'Hi' })).rejects.toThrow('temperature is 9');
    expect(backup.requests).toHaveLength(0);
  });

  it('asks another provider for what the first cannot do', async () => {
    class Plain extends LLMProvider {
      readonly name = 'plain';
      generate = async () => 'words';
      healthCheck = async () => true;
    }
    const providers = { llamaserver: new Plain(), backup: new MockProvider() };
    const gateway = new LLMGateway(settings, { providers, fallbackProviders: ['backup'] });
    const tools = [{ name: 'add', parameters: { type: 'object' } }];
    expect((await gateway.complete({ prompt: 'Hi' })).provider).toBe('llamaserver');
    expect((await gateway.complete({ prompt: 'Hi', tools })).provider).toBe('backup');
  });

  it('asks another provider when the first is set up in a way that cannot work', async () => {
    const main = new LlamaServerProvider('http://user:secret@127.0.0.1:9');
    const providers = { llamaserver: main, backup: new MockProvider() };
    const gateway = new LLMGateway(settings, { providers, fallbackProviders: ['backup'] });
    expect(await gateway.complete({ prompt: 'Hi' })).toMatchObject({
      provider: 'backup',
      metadata: { attempts: [{ outcome: 'invalid_request' }, { outcome: 'ok' }] },
    });
  });

  it('has one deadline for all providers together', async () => {
    const stuck: MockProviderOptions['responses'] = [{ delayMs: 60_000 }];
    const provider = (name: string) => new MockProvider({ name, responses: stuck });
    const providers = { llamaserver: provider('main'), two: provider('two'), three: provider('three') };
    const gateway = new LLMGateway(settings, { providers, fallbackProviders: ['two', 'three'] });
    const call = gateway.complete({ prompt: 'Hi', timeouts: { totalMs: 1_000, headersMs: 600 } });
    await expect(call).rejects.toMatchObject({
      category: 'timeout',
      code: 'total_timeout',
      retryable: false,
      message: 'no provider answered within 1000 ms (timeouts.totalMs)',
      attempts: [
        { provider: 'llamaserver', message: expect.stringContaining('headersMs') },
        { provider: 'two', message: expect.stringContaining('totalMs') },
      ],
    });
    expect(providers.three.requests).toHaveLength(0);
  });

  it('names all providers when none answers', async () => {
    const down = new AirframeError('connection', 'refused');
    const { gateway } = gatewayOf([down], { fallbackProviders: ['openai', 'backup'], backup: [down] });
    await expect(gateway.complete({ prompt: 'Hi' })).rejects.toMatchObject({
      category: 'connection',
      message: expect.stringMatching(
        /^all 3 LLM providers failed: llamaserver: refused \| openai: provider openai has no API key; set OPENAI_API_KEY/,
      ),
      attempts: [
        { provider: 'llamaserver' },
        { provider: 'openai', outcome: 'auth' },
        { provider: 'backup' },
      ],
    });
    expect(gateway.getStats()).toMatchObject({ failed: 1, providers: { openai: { errors: 1 } } });
  });

  it('asks the provider an alias stands for, with its model and defaults', async () => {
    const provider = new MockProvider({ responses: ['hi'] });
    const aliased = getSettings({
      MODEL_ALIASES:
        '{"fast":{"provider":"openai","model":"gpt-x","defaults":{"temperature":0.1,"maxTokens":7}}}',
    });
    const gateway = new LLMGateway(aliased, { providers: { openai: provider } });
    await gateway.complete({ prompt: 'Hi', model: 'fast', maxTokens: 9 });
    expect(provider.requests).toMatchObject([{ model: 'gpt-x', temperature: 0.1, maxTokens: 9 }]);
  });

  it('adds the backend parameters of a call to those of its alias', async () => {
    const provider = new MockProvider({ responses: ['hi'] });
    const defaults = { extra: { top_k: 1, min_p: 0.1 } };
    const MODEL_ALIASES = JSON.stringify({ fast: { provider: 'openai', model: 'm', defaults } });
    const gateway = new LLMGateway(getSettings({ MODEL_ALIASES }), { providers: { openai: provider } });
    await gateway.complete({ prompt: 'Hi', model: 'fast', extra: { top_k: 9 } });
    expect(provider.requests).toMatchObject([{ extra: { top_k: 9, min_p: 0.1 } }]);
  });

  it('refuses an unknown provider at once', () => {
    expect(() => new LLMGateway(settings, { fallbackProviders: ['ollama'] })).toThrow(
      /unknown LLM provider "ollama"/,
    );
  });

  it('goes from a server that is not there to the mock, as in the README', async () => {
    const local = getSettings({ LLAMASERVER_HOST: 'http://127.0.0.1:9', LLM_MAX_RETRIES: '0' });
    const gateway = new LLMGateway(local, { fallbackProviders: ['mock'] });
    const response = await gateway.complete({ prompt: 'Hi' });
    expect(response).toMatchObject({
      provider: 'mock',
      costUsd: 0,
      metadata: { attempts: [{ outcome: 'connection' }, {}] },
    });
    await gateway.close();
    await expect(gateway.complete({ prompt: 'Hi' })).rejects.toThrow(/gateway is closed/);
  });

  it('is not needed when MOCK_LLM_ENABLED says so', async () => {
    const gateway = new LLMGateway({ ...settings, mockLlmEnabled: true }, { fallbackProviders: ['openai'] });
    expect((await gateway.complete({ prompt: 'Hi' })).provider).toBe('mock');
  });
});
