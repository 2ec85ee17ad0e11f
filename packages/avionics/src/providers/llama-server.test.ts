import { collect } from '@x/airframe';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Script,
  type ScriptedLlamaServer,
  scriptedLlamaServer,
} from '../../test/scripted-llama-server.ts';
import { LlamaServerProvider, type LlamaServerProviderOptions } from './llama-server.ts';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function start(
  options: LlamaServerProviderOptions = {},
  ...scripts: Script[]
): Promise<{ provider: LlamaServerProvider; server: ScriptedLlamaServer }> {
  const server = await scriptedLlamaServer(...scripts);
  const provider = new LlamaServerProvider(server.url, options);
  opened.push(provider, server);
  return { provider, server };
}

describe('LlamaServerProvider', () => {
  it('puts a prompt through the chat template and sends its defaults', async () => {
    const { provider, server } = await start();
    expect(await provider.generate('', 'Hi')).toBe('Hello world');
    expect(server.paths).toEqual(['/apply-template', '/completion']);
    expect(server.inferences[0]).toMatchObject({
      prompt: '<user>Hi<assistant>',
      temperature: 0.7,
      n_predict: 512,
      top_p: 0.95,
      top_k: 40,
      repeat_penalty: 1.1,
    });
    expect(server.inferences[0]).not.toHaveProperty('model');
  });

  it('sends options under their own names, and others as they are', async () => {
    const { provider, server } = await start();
    const options = {
      temperature: 0,
      num_predict: 5,
      stop: ['\n'],
      top_k: 1,
      seed: 7,
      grammar: 'root ::= "a"',
    };
    await provider.generate('qwen', 'Hi', options);
    const { num_predict: n_predict, ...same } = options;
    expect(server.inferences[0]).toMatchObject({ ...same, n_predict, model: 'qwen', repeat_penalty: 1.1 });
  });

  it('speaks the OpenAI protocol without native defaults', async () => {
    const { provider, server } = await start({ apiType: 'openai' });
    const chunks = [];
    for await (const chunk of provider.generateStream('m', 'Hi')) chunks.push(chunk);
    expect(server.paths).toEqual(['/v1/chat/completions']);
    expect(server.inferences[0]).toMatchObject({ temperature: 0.7, max_tokens: 512, top_p: 0.95 });
    expect(server.inferences[0]).not.toHaveProperty('top_k');
    expect(chunks.map(chunk => chunk.text)).toEqual(['Hello', ' world', '']);
    expect(chunks.at(-1)?.metadata).toMatchObject({
      finishReason: 'stop',
      model: 'scripted',
      usage: { promptTokens: 10, completionTokens: 2, cachedTokens: 3, source: 'reported' },
      costUsd: 0,
    });
  });

  it('never sends a temperature when that is switched off', async () => {
    const { provider, server } = await start({ sendTemperature: false });
    await provider.generate('', 'Hi', { temperature: 1 });
    expect(server.inferences[0]).not.toHaveProperty('temperature');
  });

  it('says where nobody answers, and what to do', async () => {
    const { provider, server } = await start({ maxRetries: 1 });
    await server.close();
    await expect(provider.generate('', 'Hi')).rejects.toMatchObject({
      category: 'connection',
      message: `${server.url} refused the connection; start llama-server or set LLAMASERVER_HOST`,
      attempts: [{ number: 1 }, { number: 2 }],
    });
    expect(await provider.healthCheck()).toBe(false);
  });

  it('takes its timeout as the longest wait without progress, not as a limit for the whole', async () => {
    const slow = { pieces: ['a', 'b', 'c', 'd', 'e'], pieceDelayMs: 100 };
    const { provider } = await start({ timeout: 400, maxRetries: 0 }, slow, { headDelayMs: 5_000 });
    expect(await provider.generate('', 'Hi')).toBe('abcde');
    await expect(provider.generate('', 'Hi')).rejects.toMatchObject({
      category: 'timeout',
      message: expect.stringContaining('set LLM_TIMEOUT (seconds) higher'),
    });
  });

  it('does not take a cut stream for an answer', async () => {
    const { provider } = await start({}, { cut: true });
    await expect(provider.generate('', 'Hi')).rejects.toMatchObject({
      category: 'connection',
      result: { text: 'Hello world', finishReason: 'truncated' },
    });
  });

  it('counts what it does, and shows no secrets', async () => {
    const { provider } = await start(
      { apiKey: 'sk-secret' },
      {},
      { failure: { status: 400, type: 'invalid_request_error', message: 'no' } },
    );
    await provider.generate('', 'Hi');
    await expect(provider.generate('', 'Hi')).rejects.toMatchObject({ category: 'invalid_request' });
    const left = provider.infer({ prompt: 'x' });
    await left.next();
    await left.return?.();
    const stats = provider.getStats();
    expect(stats).toMatchObject({
      provider: 'llamaserver',
      requests: 3,
      errors: 2,
      promptTokens: 10,
      completionTokens: 2,
      costUsd: 0,
      adapter: { kind: 'llama_server', apiType: 'native', maxRetries: 3, timeouts: { idleMs: 120_000 } },
    });
    expect(JSON.stringify(stats)).not.toContain('secret');
    const withLogin = new LlamaServerProvider('http://user:secret@127.0.0.1:1/base?key=secret');
    expect(withLogin.getStats().adapter).toMatchObject({ baseUrl: 'http://127.0.0.1:1/base' });
  });

  it('sees its server healthy', async () => {
    const { provider, server } = await start();
    expect(await provider.healthCheck()).toBe(true);
    expect(server.paths).toEqual(['/v1/models']);
  });

  it('takes a whole conversation', async () => {
    const { provider, server } = await start();
    const { text } = await collect(
      provider.infer({
        messages: [
          { role: 'system', content: 'S' },
          { role: 'user', content: 'U' },
        ],
      }),
    );
    expect(text).toBe('Hello world');
    expect(server.inferences[0]).toMatchObject({ prompt: '<system>S<user>U<assistant>' });
  });
});
