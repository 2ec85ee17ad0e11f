import { afterEach, describe, expect, it, vi } from 'vitest';
import { agentVariableNames, resolveAgent } from './agents.ts';
import { getSettings, reloadSettings, resetSettings, setSettings } from './settings.ts';
import { SettingsError } from './variables.ts';

function errorOf(run: () => unknown): SettingsError {
  try {
    run();
  } catch (error) {
    if (error instanceof SettingsError) return error;
  }
  throw new Error('no SettingsError was thrown');
}

describe('settings', () => {
  it('have defaults for a llama-server on this machine', () => {
    expect(getSettings({})).toMatchObject({
      llmProvider: 'llamaserver',
      llamaserverHost: 'http://127.0.0.1:8080',
      llamaserverApiType: 'native',
      defaultModel: undefined,
      defaultTemperature: undefined,
      disableTemperature: false,
      azureApiVersion: '2024-02-01',
      llmTimeout: 120,
      llmMaxRetries: 3,
      deploymentMode: 'single_node',
      mockLlmEnabled: false,
    });
  });

  it('are read from variables, and an empty one counts as not set', () => {
    const settings = getSettings({
      LLM_PROVIDER: ' llamacpp ',
      LLAMACPP_MODEL_PATH: 'model.gguf',
      LLAMACPP_N_GPU_LAYERS: '-1',
      LLM_TIMEOUT: '1.5',
      LLAMASERVER_HOST: '',
      DISABLE_TEMPERATURE: 'TRUE',
      DEFAULT_TEMPERATURE: '0',
    });
    expect(settings).toMatchObject({
      llmProvider: 'llamacpp',
      llamacppModelPath: 'model.gguf',
      llamacppNGpuLayers: -1,
      llmTimeout: 1.5,
      llamaserverHost: 'http://127.0.0.1:8080',
      disableTemperature: true,
      defaultTemperature: 0,
    });
  });

  it('report all problems at once, each with variable, value and remedy', () => {
    const env = {
      LLM_PROVIDER: 'ollama',
      LLAMASERVER_HOST: '127.0.0.1:8080',
      LLM_TIMEOUT: '2m',
      LLM_MAX_RETRIES: '1.5',
      DEFAULT_TEMPERATURE: '3',
      MOCK_LLM_ENABLED: 'perhaps',
    };
    const error = errorOf(() => getSettings(env));
    expect(error.problems).toHaveLength(6);
    expect(error.message.split('\n')).toEqual([
      '6 settings are wrong:',
      '  LLM_PROVIDER="ollama": use one of llamaserver, openai, anthropic, azure, llamacpp, mock',
      '  LLAMASERVER_HOST="127.0.0.1:8080": give a full URL, e.g. http://127.0.0.1:8080',
      '  DEFAULT_TEMPERATURE="3": give a number from 0 to 2, e.g. 0.7',
      '  LLM_TIMEOUT="2m": give seconds, 0 or more (0: no limit), e.g. 120',
      '  LLM_MAX_RETRIES="1.5": give a whole number, 0 or more, e.g. 3',
      '  MOCK_LLM_ENABLED="perhaps": say true or false',
    ]);
  });

  it('name what the chosen provider lacks, next to what is wrong', () => {
    const error = errorOf(() =>
      getSettings({ LLM_PROVIDER: 'azure', AZURE_API_KEY: 'k', LLM_TIMEOUT: '-1' }),
    );
    expect(error.problems.map(problem => problem.variable)).toEqual([
      'LLM_TIMEOUT',
      'AZURE_ENDPOINT',
      'AZURE_DEPLOYMENT_NAME',
    ]);
    expect(error.message).toContain('AZURE_ENDPOINT is not set: LLM_PROVIDER=azure needs it');
    expect(getSettings({ LLM_PROVIDER: 'azure', MOCK_LLM_ENABLED: 'true' }).mockLlmEnabled).toBe(true);
  });

  it('never show a password of a URL', () => {
    for (const url of ['ftp://user:p@ss@host/x', 'user:p@ss@host']) {
      const { message } = errorOf(() => getSettings({ LLAMASERVER_HOST: url, REDIS_URL: url }));
      expect(message).not.toMatch(/p@ss|user/);
      expect(message).toContain('***@host');
    }
  });

  it('have only one owner in a process, until told otherwise', () => {
    vi.stubEnv('DEFAULT_MODEL', 'one');
    resetSettings();
    expect(getSettings().defaultModel).toBe('one');
    vi.stubEnv('DEFAULT_MODEL', 'two');
    expect(getSettings().defaultModel).toBe('one');
    expect(reloadSettings().defaultModel).toBe('two');
    vi.stubEnv('LLM_TIMEOUT', 'x');
    expect(() => reloadSettings()).toThrow(SettingsError);
    expect(getSettings().defaultModel).toBe('two');
    setSettings({ ...getSettings(), defaultModel: 'three' });
    expect(getSettings({}).defaultModel).toBeUndefined();
    expect(getSettings().defaultModel).toBe('three');
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    resetSettings();
  });
});

describe('an agent', () => {
  it('has variables named after it', () => {
    expect(agentVariableNames('code-review')).toEqual({
      model: 'CODE_REVIEW_MODEL',
      temperature: 'CODE_REVIEW_TEMPERATURE',
      provider: 'CODE_REVIEW_LLM_PROVIDER',
      llamaServerUrl: 'LLAMASERVER_CODE_REVIEW_URL',
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
});
