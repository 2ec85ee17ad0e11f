import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../../scripts/free-port.mjs';
import { type RealLlamaServer, startLlamaServer } from '../../../../test/real-llama-server.ts';
import { LLMGateway, LlamaServerProvider, readSettings, type Settings } from '../../src/index.ts';

describe('avionics over a real llama-server', () => {
  let server: RealLlamaServer;
  let settings: Settings;
  beforeAll(async () => {
    server = await startLlamaServer();
    settings = readSettings({ LLAMASERVER_HOST: server.url, LLM_MAX_RETRIES: '0' });
  });
  afterAll(() => server?.stop());

  it.each(['native', 'openai'] as const)('health and generation work over the %s API', async apiType => {
    const provider = new LlamaServerProvider(server.url, { apiType });
    expect(await provider.healthCheck()).toBe(true);
    const [answer, streamed] = [await provider.generate('', 'What is 2+2?', { temperature: 0 }), []] as [
      string,
      string[],
    ];
    for await (const chunk of provider.generateStream('', 'What is 2+2?', { temperature: 0 }))
      streamed.push(chunk.text);
    expect(streamed.join('')).toBe(answer);
    await provider.close();
  });

  it('falls back to another provider when the server is not there, and tells every try', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const gateway = new LLMGateway({ ...settings, llamaserverHost: dead }, { fallbackProviders: ['mock'] });
    const response = await gateway.complete({ prompt: 'hello' });
    expect(response.provider).toBe('mock');
    expect(response.metadata.attempts).toMatchObject([
      { provider: 'llamaserver', outcome: 'connection' },
      { provider: 'mock', outcome: 'ok' },
    ]);
    expect(gateway.getStats()).toMatchObject({ requests: 1, succeeded: 1, fallbacks: 1 });
    await gateway.close();
  });

  it('stops the server and accounts for the tokens when the consumer breaks', async () => {
    const gateway = new LLMGateway(settings);
    const request = { prompt: 'What is 2+2?', maxTokens: 900, extra: { ignore_eos: true } };
    for await (const chunk of gateway.completeStream(request)) if (chunk.cumulativeTokens > 5) break;
    await server.idle();
    const stats = gateway.getStats();
    expect(stats).toMatchObject({ requests: 1, stopped: 1, inFlight: 0 });
    expect(stats.completionTokens).toBeGreaterThan(5);
    expect(stats.promptTokens).toBeGreaterThan(0);
    await gateway.close();
  });

  it('lets the resource callback stop a stream in the middle', async () => {
    let used = 0;
    const resourceCallback = (_in: number, out: number) => {
      used += out;
      return used > 10 ? 'the budget of 10 tokens is used up' : undefined;
    };
    const gateway = new LLMGateway(settings, { resourceCallback });
    const request = { prompt: 'What is 2+2?', maxTokens: 900, extra: { ignore_eos: true } };
    await expect(gateway.complete(request)).rejects.toMatchObject({
      category: 'quota',
      message: expect.stringContaining('the budget of 10 tokens is used up'),
    });
    await server.idle();
    expect(used).toBeLessThan(100);
    await gateway.close();
  });
});
