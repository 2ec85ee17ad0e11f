import { describe, expect, it } from 'vitest';
import { type AgentConfig, agentVariableNames, registerAgents, resolveAgent } from './agents.ts';
import { choiceOf, listAgents, resolveCall } from './choice.ts';
import { getSettings } from './settings.ts';
import { SettingsError } from './variables.ts';

function errorOf(run: () => unknown): SettingsError {
  try {
    run();
  } catch (error) {
    if (error instanceof SettingsError) return error;
  }
  throw new Error('no SettingsError was thrown');
}

describe('an agent', () => {
  it('has variables named after it', () => {
    expect(agentVariableNames('code-review')).toEqual({
      model: 'CODE_REVIEW_MODEL',
      temperature: 'CODE_REVIEW_TEMPERATURE',
      maxTokens: 'CODE_REVIEW_MAX_TOKENS',
      provider: 'CODE_REVIEW_LLM_PROVIDER',
      llamaServerUrl: 'LLAMASERVER_CODE_REVIEW_URL',
      timeout: 'CODE_REVIEW_LLM_TIMEOUT',
      maxRetries: 'CODE_REVIEW_LLM_MAX_RETRIES',
    });
  });

  it('gets its registered config, and its variables over that', () => {
    const env = {
      PLANNER_TEMPERATURE: '0.1',
      LLAMASERVER_PLANNER_URL: 'http://planner:8080',
      CRITIC_MODEL: 'c',
    };
    const settings = { ...getSettings(env), agents: { planner: { model: 'big', temperature: 0.9 } } };
    expect(resolveAgent(settings, 'planner')).toEqual({
      model: 'big',
      temperature: 0.1,
      llamaServerUrl: 'http://planner:8080',
    });
    expect(resolveAgent(settings, 'critic')).toEqual({ model: 'c' });
    expect(resolveAgent(settings, 'constructor')).toEqual({});
  });

  it('reports all its problems at once, and those of nobody else', () => {
    const settings = getSettings({
      CPU_TEMPERATURE: '45',
      PLANNER_TEMPERATURE: 'warm',
      PLANNER_LLM_PROVIDER: 'x',
    });
    expect(resolveAgent(settings, 'critic')).toEqual({});
    const { message } = errorOf(() => resolveAgent(settings, 'planner'));
    expect(message).toMatch(
      /PLANNER_TEMPERATURE="warm": give a number.*\n.*PLANNER_LLM_PROVIDER="x": use one of/,
    );
  });

  it('shows no secret in what it says is wrong, and a number of tokens is none', () => {
    const agents = { a: { apiKey: 'sk-1' }, b: { llamaServerUrl: 'ftp://me:pw-1@host' } } as object;
    const { message } = errorOf(() => registerAgents(getSettings({}), agents as Record<string, AgentConfig>));
    expect(message).toContain('agents.a.apiKey="***"');
    expect(message).toContain('ftp://***@host');
    expect(message).not.toMatch(/sk-1|pw-1/);
    const settings = getSettings({ PLANNER_MAX_TOKENS: 'many' });
    expect(errorOf(() => resolveAgent(settings, 'planner')).message).toContain('PLANNER_MAX_TOKENS="many"');
  });

  it('may have everything its own way', () => {
    const env = {
      PLANNER_MODEL: 'm',
      PLANNER_TEMPERATURE: '0',
      PLANNER_MAX_TOKENS: '99',
      PLANNER_LLM_PROVIDER: 'openai',
      LLAMASERVER_PLANNER_URL: 'http://planner:8080',
      PLANNER_LLM_TIMEOUT: '0.5',
      PLANNER_LLM_MAX_RETRIES: '0',
    };
    expect(resolveAgent(getSettings(env), 'planner')).toEqual({
      model: 'm',
      temperature: 0,
      maxTokens: 99,
      provider: 'openai',
      llamaServerUrl: 'http://planner:8080',
      timeout: 0.5,
      maxRetries: 0,
    });
  });
});

describe('the registry of agents', () => {
  const settings = getSettings({
    DEFAULT_TEMPERATURE: '0.5',
    PLANNER_MAX_TOKENS: '99',
    DEFAULT_MODEL: 'qwen',
  });

  it('lists what is registered with all that applies to it', () => {
    const first = registerAgents(settings, { planner: { temperature: 0.1 }, critic: { provider: 'openai' } });
    const both = registerAgents(first, { critic: { provider: 'anthropic', model: 'claude-a', timeout: 5 } });
    expect(listAgents(settings)).toEqual([]);
    expect(listAgents(both)).toEqual([
      {
        name: 'planner',
        provider: 'llamaserver',
        model: 'qwen',
        temperature: 0.1,
        maxTokens: 99,
        timeout: 120,
        maxRetries: 3,
      },
      {
        name: 'critic',
        provider: 'anthropic',
        model: 'claude-a',
        temperature: 0.5,
        timeout: 5,
        maxRetries: 3,
      },
    ]);
  });

  it('refuses configs that are wrong, all at once', () => {
    const configs = JSON.parse(`{
      "planner": { "temperature": "warm", "maxTokens": 0.5, "temprature": 1 },
      "critic": { "provider": "ollama", "timeout": 60 }
    }`);
    expect(errorOf(() => registerAgents(settings, configs)).message.split('\n')).toEqual([
      '4 settings are wrong:',
      '  agents.planner.temperature="warm": give a number from 0 to 2, e.g. 0.7',
      '  agents.planner.maxTokens="0.5": give a whole number of tokens above 0, e.g. 512',
      '  agents.planner.temprature="1": use model, temperature, maxTokens, provider, llamaServerUrl, timeout, maxRetries',
      '  agents.critic.provider="ollama": use one of llamaserver, openai, anthropic, azure, llamacpp, mock',
    ]);
  });
});

describe('the choice of provider and model', () => {
  const settings = getSettings({
    DEFAULT_MODEL: 'qwen',
    OPENAI_MODEL: 'gpt-5',
    CRITIC_LLM_PROVIDER: 'openai',
    WRITER_MODEL: 'fast',
    EDITOR_LLM_PROVIDER: 'openai',
    EDITOR_MODEL: 'fast',
    MODEL_ALIASES:
      '{"fast": {"provider": "anthropic", "model": "claude-small", "defaults": {"maxTokens": 9}}}',
  });

  it('is the agent’s, and DEFAULT_MODEL is for the main provider only', () => {
    expect(choiceOf(settings)).toMatchObject({ provider: 'llamaserver', model: 'qwen' });
    expect(choiceOf(settings, 'critic')).toMatchObject({ provider: 'openai', model: 'gpt-5' });
    const critic = choiceOf({ ...settings, openaiModel: undefined }, 'critic');
    expect(critic).toMatchObject({ provider: 'openai', model: undefined });
  });

  it('prefers a provider’s own variable to DEFAULT_MODEL', () => {
    expect(choiceOf({ ...settings, llmProvider: 'openai' }).model).toBe('gpt-5');
    expect(choiceOf({ ...settings, llmProvider: 'anthropic' }).model).toBe('qwen');
    const azure = { ...settings, llmProvider: 'azure' as const, azureDeploymentName: 'prod' };
    expect(choiceOf(azure).model).toBe('prod');
  });

  it('follows an alias of the agent or of DEFAULT_MODEL, past the agent’s provider', () => {
    const fast = { provider: 'anthropic', model: 'claude-small', defaults: { maxTokens: 9 } };
    expect(choiceOf(settings, 'writer')).toEqual(fast);
    expect(choiceOf(settings, 'editor')).toEqual(fast);
    expect(choiceOf({ ...settings, defaultModel: 'fast' })).toEqual(fast);
  });

  it('of a call is its model or alias, else the agent’s', () => {
    expect(resolveCall(settings, 'critic', 'fast')).toEqual({
      provider: 'anthropic',
      model: 'claude-small',
      defaults: { maxTokens: 9 },
    });
    expect(resolveCall(settings, 'critic', 'gpt-4')).toEqual({
      provider: 'openai',
      model: 'gpt-4',
      defaults: {},
    });
    expect(resolveCall(settings, 'writer')).toEqual({
      provider: 'anthropic',
      model: 'claude-small',
      defaults: {},
    });
  });

  it('is the mock when MOCK_LLM_ENABLED says so', () => {
    const mocked = { ...settings, mockLlmEnabled: true };
    for (const agent of ['writer', 'critic', 'nobody']) expect(choiceOf(mocked, agent).provider).toBe('mock');
    expect(resolveCall(mocked, 'critic', 'fast').provider).toBe('mock');
  });
});
