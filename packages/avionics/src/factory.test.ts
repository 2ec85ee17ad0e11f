import { describe, expect, it, vi } from 'vitest';
import { cacheKeyOf, planOf } from './factory/plan.ts';
import { createAgentProvider, createLLMProvider, LLMFactory } from './factory.ts';
import { NodePool } from './nodes/pool.ts';
import { NodePoolProvider } from './nodes/pool-provider.ts';
import { AnthropicProvider } from './providers/anthropic.ts';
import { AzureAIFoundryProvider } from './providers/azure.ts';
import { LlamaServerProvider } from './providers/llama-server.ts';
import { LlamaCppProvider } from './providers/llamacpp.ts';
import { MockProvider } from './providers/mock.ts';
import { OpenAIProvider } from './providers/openai.ts';
import { getSettings } from './settings/settings.ts';
import { SettingsError } from './settings/variables.ts';

const settings = getSettings({
  LLAMASERVER_HOST: 'http://main:8080',
  LLAMASERVER_API_TYPE: 'openai',
  LLAMASERVER_PLANNER_URL: 'http://planner:8080',
  CRITIC_LLM_PROVIDER: 'mock',
  WRITER_TEMPERATURE: '0.2',
  BROKEN_TEMPERATURE: 'x',
  LLM_TIMEOUT: '30',
  LLM_MAX_RETRIES: '1',
});

const cloud = getSettings({
  OPENAI_API_KEY: 'sk-one',
  OPENAI_BASE_URL: 'https://eu.api.openai.com/v1',
  OPENAI_API_TYPE: 'responses',
  OPENAI_MODEL: 'gpt-5',
  ANTHROPIC_API_KEY: 'sk-ant-one',
  ANTHROPIC_MODEL: 'claude-a',
  AZURE_ENDPOINT: 'https://res.openai.azure.com',
  AZURE_API_KEY: 'azure-one',
  AZURE_DEPLOYMENT_NAME: 'prod',
  AZURE_API_VERSION: '2024-10-21',
  LLM_TIMEOUT: '30',
  LLM_MAX_RETRIES: '1',
  MODEL_ALIASES: JSON.stringify({
    fast: { provider: 'anthropic', model: 'claude-small', defaults: { temperature: 0.1, maxTokens: 99 } },
  }),
  WRITER_MODEL: 'fast',
  EDITOR_MODEL: 'fast',
  EDITOR_TEMPERATURE: '0.9',
  EDITOR_LLM_TIMEOUT: '5',
  EDITOR_LLM_MAX_RETRIES: '0',
});

describe('createLLMProvider', () => {
  it('makes a llama-server provider as the settings say', () => {
    const provider = createLLMProvider('llamaserver', settings);
    expect(provider).toBeInstanceOf(LlamaServerProvider);
    expect(provider.getStats().adapter).toMatchObject({
      baseUrl: 'http://main:8080',
      apiType: 'openai',
      maxRetries: 1,
      timeouts: { headersMs: 30_000, idleMs: 30_000 },
    });
  });

  it('gives an agent its own server', () => {
    const provider = createLLMProvider('llamaserver', settings, 'planner');
    expect(provider.getStats().adapter).toMatchObject({ baseUrl: 'http://planner:8080' });
  });

  it('makes an in-process provider without loading anything', () => {
    const withModel = getSettings({ LLAMACPP_MODEL_PATH: '/models/m.gguf' });
    const provider = createLLMProvider('llamacpp', withModel);
    expect(provider).toBeInstanceOf(LlamaCppProvider);
    expect(provider.getStats().adapter).toMatchObject({
      kind: 'llamacpp_native',
      baseUrl: 'file:///models/m.gguf',
    });
    expect(() => createLLMProvider('llamacpp', settings)).toThrow(/has no model; set LLAMACPP_MODEL_PATH/);
  });

  it('hands on what the settings say of a model in this process', () => {
    const plan = planOf(
      'llamacpp',
      getSettings({
        LLAMACPP_MODEL_PATH: '/models/m.gguf',
        LLAMACPP_N_CTX: '2048',
        LLAMACPP_IDLE_UNLOAD: '1.5',
        LLAMACPP_ISOLATION: 'process',
        LLAMACPP_CHECK_MEMORY: 'false',
      }),
      undefined,
    );
    const options = { contextTokens: 2048, idleUnloadMs: 1_500, isolation: 'process', checkMemory: false };
    expect(plan).toMatchObject({ type: 'llamacpp', options });
    const bare = planOf('llamacpp', getSettings({ LLAMACPP_MODEL_PATH: '/models/m.gguf' }), undefined);
    expect(Object.keys('options' in bare ? bare.options : {})).toEqual([
      'timeout',
      'sendTemperature',
      'defaults',
    ]);
  });

  it('makes the cloud providers as the settings say', () => {
    const openai = createLLMProvider('openai', cloud);
    expect(openai).toBeInstanceOf(OpenAIProvider);
    expect(openai.getStats().adapter).toMatchObject({
      kind: 'openai_responses',
      baseUrl: 'https://eu.api.openai.com/v1',
      model: 'gpt-5',
      maxRetries: 1,
      timeouts: { headersMs: 30_000, idleMs: 30_000 },
    });
    const anthropic = createLLMProvider('anthropic', cloud);
    expect(anthropic).toBeInstanceOf(AnthropicProvider);
    expect(anthropic.getStats().adapter).toMatchObject({
      baseUrl: 'https://api.anthropic.com',
      model: 'claude-a',
      maxRetries: 1,
    });
    const azure = createLLMProvider('azure', cloud);
    expect(azure).toBeInstanceOf(AzureAIFoundryProvider);
    expect(azure.getStats().adapter).toMatchObject({
      baseUrl: 'https://res.openai.azure.com',
      model: 'prod',
      apiVersion: '2024-10-21',
    });
  });

  it('says which variable a cloud provider lacks, whatever the environment of the process holds', () => {
    vi.stubEnv('OPENAI_API_KEY', 'sk-of-the-process');
    vi.stubEnv('AZURE_ENDPOINT', 'https://of-the-process.example');
    for (const [type, message] of [
      ['openai', 'provider openai has no API key; set OPENAI_API_KEY or give apiKey'],
      ['anthropic', 'provider anthropic has no API key; set ANTHROPIC_API_KEY or give apiKey'],
      [
        'azure',
        'provider azure has no endpoint; set AZURE_ENDPOINT, e.g. https://my-resource.openai.azure.com',
      ],
    ] as const) {
      expect(() => createLLMProvider(type, settings)).toThrow(
        expect.objectContaining({ code: 'configuration', message }),
      );
    }
    const local = getSettings({ OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1' });
    expect(createLLMProvider('openai', local).getStats().adapter).toMatchObject({
      baseUrl: 'http://127.0.0.1:11434/v1',
    });
    vi.unstubAllEnvs();
  });

  it('takes an Entra token in the place of an Azure key', () => {
    const keyless = { ...cloud, azureApiKey: undefined };
    expect(() => createLLMProvider('azure', keyless)).toThrow('set AZURE_API_KEY, or give tokenProvider');
    const azureTokenProvider = async () => 'token';
    expect(createLLMProvider('azure', keyless, undefined, { azureTokenProvider }).name).toBe('azure');
  });

  it('makes a mock of every known type when MOCK_LLM_ENABLED says so', () => {
    const mocked = { ...settings, mockLlmEnabled: true };
    expect(createLLMProvider('openai', mocked)).toBeInstanceOf(MockProvider);
    expect(() => createLLMProvider('ollama', mocked)).toThrow(/unknown LLM provider/);
  });

  it('names an unknown type and the valid ones', () => {
    expect(() => createLLMProvider('ollama', settings)).toThrow(
      'unknown LLM provider "ollama"; use one of llamaserver, openai, anthropic, azure, llamacpp, mock',
    );
  });
});

describe('createAgentProvider', () => {
  it('asks the override first, then the agent, then LLM_PROVIDER', () => {
    expect(createAgentProvider(settings, 'planner').name).toBe('llamaserver');
    expect(createAgentProvider(settings, 'critic')).toBeInstanceOf(MockProvider);
    expect(createAgentProvider(settings, 'critic', 'llamaserver').name).toBe('llamaserver');
  });

  it('gives everybody the mock when MOCK_LLM_ENABLED says so', () => {
    const mocked = { ...settings, mockLlmEnabled: true };
    expect(createAgentProvider(mocked, 'planner')).toBeInstanceOf(MockProvider);
  });

  it('gives an agent its temperature, unless none may be sent', () => {
    const temperatureOf = (from: typeof settings, agent: string) =>
      createAgentProvider(from, agent).prepare({ prompt: 'x' }).temperature;
    expect(temperatureOf(settings, 'writer')).toBe(0.2);
    expect(temperatureOf(settings, 'planner')).toBe(0.7);
    expect(temperatureOf({ ...settings, defaultTemperature: 0.4 }, 'planner')).toBe(0.4);
    expect(temperatureOf({ ...settings, disableTemperature: true }, 'writer')).toBeUndefined();
  });

  it('follows an alias to its provider, model and defaults, and the agent’s own word comes first', () => {
    const writer = createAgentProvider(cloud, 'writer');
    expect(writer.name).toBe('anthropic');
    expect(writer.defaultModel).toBe('claude-small');
    expect(writer.prepare({ prompt: 'x' })).toMatchObject({ temperature: 0.1, maxTokens: 99 });
    const editor = createAgentProvider(cloud, 'editor');
    expect(editor.prepare({ prompt: 'x' })).toMatchObject({ temperature: 0.9, maxTokens: 99 });
    expect(editor.getStats().adapter).toMatchObject({ maxRetries: 0, timeouts: { headersMs: 5_000 } });
    const elsewhere = createAgentProvider(cloud, 'writer', 'openai');
    expect(elsewhere.defaultModel).toBe('gpt-5');
    expect(elsewhere.prepare({ prompt: 'x' }).maxTokens).toBeUndefined();
  });

  it('reports what is wrong with an agent', () => {
    expect(() => createAgentProvider(settings, 'broken')).toThrow(SettingsError);
  });
});

describe('LLMFactory', () => {
  it('shares one provider among agents that are alike', () => {
    const factory = new LLMFactory(settings);
    const provider = factory.getProviderForAgent('one');
    expect(factory.getProviderForAgent('two')).toBe(provider);
    expect(factory.getProviderForAgent('planner')).not.toBe(provider);
    expect(factory.getProviderForAgent('one', false)).not.toBe(provider);
    factory.clearCache();
    expect(factory.getProviderForAgent('one')).not.toBe(provider);
  });

  it('remembers what it was told of nodes', () => {
    const factory = new LLMFactory(settings);
    expect(factory.getNodeHealth('gpu-1')).toBeUndefined();
    factory.markNodeHealthy('gpu-1', false);
    expect(factory.getNodeHealth('gpu-1')).toBe(false);
    factory.markNodeHealthy('gpu-1', true);
    expect(factory.getNodeHealth('gpu-1')).toBe(true);
  });

  it('shares a provider only where the keys are the same', () => {
    const factory = new LLMFactory(cloud);
    const provider = factory.getProvider('openai');
    expect(factory.getProvider('openai', 'anybody')).toBe(provider);
    const [one, two] = ['sk-one', 'sk-two'].map(openaiApiKey =>
      cacheKeyOf(planOf('openai', { ...cloud, openaiApiKey }, undefined)),
    );
    expect(one).not.toBe(two);
    expect(`${one}${two}`).not.toMatch(/sk-one|sk-two/);
  });

  it('closes what it has made, in the cache, cleared from it, or outside of it', async () => {
    const factory = new LLMFactory(settings);
    const providers = [factory.getProviderForAgent('one')];
    factory.clearCache();
    providers.push(factory.getProviderForAgent('one'), factory.getProviderForAgent('one', false));
    const closed = providers.map(provider => vi.spyOn(provider, 'close'));
    await factory.close();
    expect(closed.map(close => close.mock.calls.length)).toEqual([1, 1, 1]);
    expect(factory.getProviderForAgent('one')).not.toBe(providers[1]);
    await factory.close();
    expect(closed.map(close => close.mock.calls.length)).toEqual([1, 1, 1]);
  });
});

describe('LLMFactory with nodes', () => {
  const distributed = getSettings({
    DEPLOYMENT_MODE: 'distributed',
    LLAMASERVER_HOST: 'http://main:8080',
    LLAMASERVER_PLANNER_URL: 'http://planner:8080',
    CRITIC_LLM_PROVIDER: 'mock',
  });
  const nodes = new NodePool([{ name: 'gpu-1', baseUrl: 'http://127.0.0.1:9' }]);

  it('puts agents on the nodes, one provider each, and leaves closing the pool to whoever made it', async () => {
    const close = vi.spyOn(nodes, 'close');
    const factory = new LLMFactory(distributed, { nodes });
    const writer = factory.getProviderForAgent('writer');
    expect(writer).toBeInstanceOf(NodePoolProvider);
    expect(factory.getProviderForAgent('writer', false)).toBe(writer);
    expect(factory.getProviderForAgent('reader')).not.toBe(writer);
    await factory.close();
    expect(close).not.toHaveBeenCalled();
  });

  it('leaves out agents with a server of their own, other providers, and a single node', () => {
    const factory = new LLMFactory(distributed, { nodes });
    expect(factory.getProviderForAgent('planner').getStats().adapter).toMatchObject({
      baseUrl: 'http://planner:8080',
    });
    expect(factory.getProviderForAgent('critic')).toBeInstanceOf(MockProvider);
    const single = new LLMFactory(settings, { nodes }).getProviderForAgent('writer');
    expect(single).toBeInstanceOf(LlamaServerProvider);
    expect(single).not.toBeInstanceOf(NodePoolProvider);
  });

  it('speaks of the health of its nodes', () => {
    const factory = new LLMFactory(distributed, { nodes });
    factory.markNodeHealthy('gpu-1', false);
    expect(factory.getNodeHealth('gpu-1')).toBe(false);
    expect(nodes.getNodeHealth('gpu-1')).toBe(false);
    expect(() => factory.markNodeHealthy('gpu-9', true)).toThrow(/no node is named "gpu-9"; known: gpu-1/);
  });
});
