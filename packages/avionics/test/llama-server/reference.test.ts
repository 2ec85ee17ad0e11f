import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RealLlamaServer, startLlamaServer } from '../../../../test/real-llama-server.ts';
import {
  calculateCost,
  createAgentProvider,
  createAgentProviderWithNodeAwareness,
  createLLMProvider,
  getSettings,
  LLMFactory,
  LLMGateway,
  LlamaServerProvider,
  readSettings,
  resetSettings,
  type Settings,
  type StreamingChunk,
  setSettings,
  type TokenChunk,
} from '../../src/index.ts';

/** The usage examples of the reference text, and what it says of agents, factory and nodes, in TypeScript. */
describe('the reference text, over a real llama-server', () => {
  let server: RealLlamaServer;
  let settings: Settings;
  beforeAll(async () => {
    server = await startLlamaServer();
    setSettings(readSettings({ LLAMASERVER_HOST: server.url, LLM_MAX_RETRIES: '0' }));
    settings = getSettings();
  });
  afterAll(async () => {
    resetSettings();
    await server?.stop();
  });

  it('basic generation', async () => {
    const provider = createLLMProvider('llamaserver', settings);
    const response = await provider.generate('pilot', 'What is 2+2?', { temperature: 0.3, num_predict: 100 });
    expect(response).toContain('4');
    expect(provider.getStats()).toMatchObject({ requests: 1, errors: 0, costUsd: 0 });
    await provider.close();
  });

  it('using the gateway', async () => {
    const gateway = new LLMGateway(settings, { fallbackProviders: ['mock'] });
    const response = await gateway.complete({
      prompt: 'What is 2+2?',
      system: 'You are a helpful assistant.',
      agentName: 'planner',
      temperature: 0,
    });
    expect(response.text).toContain('4');
    expect(response).toMatchObject({ provider: 'llamaserver', model: 'pilot', costUsd: 0, streamed: false });
    expect(response.tokensUsed).toBe(response.promptTokens + response.completionTokens);
    expect(response.metadata).toMatchObject({
      finishReason: 'stop',
      priced: true,
      usage: { source: 'reported' },
    });
    expect(gateway.getStats().agents['planner']).toMatchObject({ requests: 1, succeeded: 1 });
    await gateway.close();
  });

  it('streaming', async () => {
    const told: StreamingChunk[] = [];
    const gateway = new LLMGateway(settings, { streamingCallback: chunk => told.push(chunk) });
    const chunks: StreamingChunk[] = [];
    const request = { prompt: 'What is 2+2?', agentName: 'synthesizer', temperature: 0 };
    for await (const chunk of gateway.completeStream(request)) chunks.push(chunk);
    const last = chunks.at(-1);
    expect(chunks.filter(chunk => chunk.isFinal)).toEqual([last]);
    expect(chunks.map(chunk => chunk.text).join('')).toContain('4');
    expect(last?.cumulativeTokens).toBe(last?.response?.completionTokens);
    expect(told).toEqual(chunks);
    await gateway.close();
  });

  it('a stream of tokens from a provider', async () => {
    const provider = new LlamaServerProvider(server.url, {
      timeout: 120_000,
      maxRetries: 3,
      apiType: 'native',
    });
    expect(provider.supportsStreaming).toBe(true);
    const chunks: TokenChunk[] = [];
    for await (const chunk of provider.generateStream('', 'What is 2+2?', { temperature: 0 }))
      chunks.push(chunk);
    const last = chunks.at(-1);
    expect(chunks.filter(chunk => chunk.isFinal)).toEqual([last]);
    expect(chunks.reduce((sum, chunk) => sum + chunk.tokenCount, 0)).toBe(
      last?.metadata?.usage.completionTokens,
    );
    await provider.close();
  });

  it('a provider for an agent, with settings of its own', async () => {
    const env = {
      LLAMASERVER_HOST: 'http://127.0.0.1:9',
      LLAMASERVER_PLANNER_URL: server.url,
      LLM_MAX_RETRIES: '0',
    };
    const provider = createAgentProvider(readSettings(env), 'planner');
    expect(await provider.healthCheck()).toBe(true);
    expect(await provider.generate('', 'What is 2+2?', { temperature: 0 })).toContain('4');
    await provider.close();
    const mock = createAgentProvider(readSettings(env), 'planner', 'mock');
    expect(await mock.generate('', 'Hi')).toBe('mock answer to: Hi');
  });

  it('a factory that keeps what it makes', async () => {
    const factory = new LLMFactory(settings);
    const provider = factory.getProviderForAgent('planner');
    expect(factory.getProviderForAgent('planner')).toBe(provider);
    expect(factory.getProviderForAgent('planner', false)).not.toBe(provider);
    expect(await provider.generate('', 'What is 2+2?', { temperature: 0 })).toContain('4');
    factory.clearCache();
    expect(factory.getProviderForAgent('planner')).not.toBe(provider);
    factory.markNodeHealthy('node-1', false);
    expect(factory.getNodeHealth('node-1')).toBe(false);
    await factory.close();
  });

  it('a provider that knows of nodes', async () => {
    const distributed = { ...settings, deploymentMode: 'distributed' as const };
    const nodes = [{ name: 'node-1', baseUrl: server.url, agents: ['planner'] }];
    const provider = createAgentProviderWithNodeAwareness(distributed, 'planner', nodes);
    expect(await provider.generate('', 'What is 2+2?', { temperature: 0 })).toContain('4');
    await provider.close();
  });

  it('costs: a local answer is free', () => {
    expect(calculateCost('llamaserver', 'pilot', 1_000, 1_000)).toMatchObject({ costUsd: 0, priced: true });
  });
});

describe('vectors, from a real llama-server', () => {
  let server: RealLlamaServer;
  beforeAll(async () => {
    server = await startLlamaServer({ embeddings: true });
  });
  afterAll(() => server?.stop());

  it('come one for each text, and are counted', async () => {
    const gateway = new LLMGateway(readSettings({ LLAMASERVER_HOST: server.url }));
    const response = await gateway.embed({ input: ['What is 2+2?', 'Where is the pilot?'] });
    const { embeddings, metadata, tokensUsed, costUsd } = response;
    const [first, second] = embeddings;
    expect(embeddings).toHaveLength(2);
    expect(first?.length).toBeGreaterThan(8);
    expect(second).toHaveLength(first?.length ?? 0);
    expect(first).not.toEqual(second);
    expect(metadata.usage).toMatchObject({ completionTokens: 0, source: 'reported' });
    expect(costUsd).toBe(0);
    expect(gateway.getStats()).toMatchObject({ succeeded: 1, promptTokens: tokensUsed, costUsd: 0 });
    await gateway.close();
  });
});
