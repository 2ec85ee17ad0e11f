import { describe, expect, it } from 'vitest';
import { createAgentProvider, createLLMProvider, LLMFactory } from './factory.ts';
import { LlamaServerProvider } from './providers/llama-server.ts';
import { LlamaCppProvider } from './providers/llamacpp.ts';
import { MockProvider } from './providers/mock.ts';
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

  it.each(['openai', 'anthropic', 'azure'])('says that %s has no adapter yet', type => {
    expect(() => createLLMProvider(type, settings)).toThrow(
      expect.objectContaining({
        category: 'invalid_request',
        message: `provider "${type}" is known, but this version has no adapter for it yet; use llamaserver, llamacpp, mock`,
      }),
    );
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

  it('closes what it has made', async () => {
    const factory = new LLMFactory(settings);
    const provider = factory.getProviderForAgent('one');
    await factory.close();
    expect(factory.getProviderForAgent('one')).not.toBe(provider);
    await factory.close();
  });
});
