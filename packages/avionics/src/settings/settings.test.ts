import { afterEach, describe, expect, it, vi } from 'vitest';
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
      modelAliases: {},
      openaiBaseUrl: 'https://api.openai.com/v1',
      openaiApiType: 'chat',
      anthropicBaseUrl: 'https://api.anthropic.com',
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
      LLAMACPP_IDLE_UNLOAD: '600',
      LLAMACPP_ISOLATION: 'process',
      LLAMACPP_CHECK_MEMORY: 'false',
      LLM_TIMEOUT: '1.5',
      LLAMASERVER_HOST: '',
      DISABLE_TEMPERATURE: 'TRUE',
      DEFAULT_TEMPERATURE: '0',
    });
    expect(settings).toMatchObject({
      llmProvider: 'llamacpp',
      llamacppModelPath: 'model.gguf',
      llamacppNGpuLayers: -1,
      llamacppIdleUnload: 600,
      llamacppIsolation: 'process',
      llamacppCheckMemory: false,
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
      LLAMACPP_IDLE_UNLOAD: '10m',
      LLAMACPP_ISOLATION: 'docker',
      MOCK_LLM_ENABLED: 'perhaps',
    };
    const error = errorOf(() => getSettings(env));
    expect(error.problems).toHaveLength(8);
    expect(error.message.split('\n')).toEqual([
      '8 settings are wrong:',
      '  LLM_PROVIDER="ollama": use one of llamaserver, openai, anthropic, azure, llamacpp, mock',
      '  LLAMASERVER_HOST="127.0.0.1:8080": give a full URL, e.g. http://127.0.0.1:8080',
      '  DEFAULT_TEMPERATURE="3": give a number from 0 to 2, e.g. 0.7',
      '  LLM_TIMEOUT="2m": give seconds, 0 or more (0: no limit), e.g. 120',
      '  LLM_MAX_RETRIES="1.5": give a whole number, 0 or more, e.g. 3',
      '  LLAMACPP_IDLE_UNLOAD="10m": give seconds, 0 or more (0: never), e.g. 600',
      '  LLAMACPP_ISOLATION="docker": use one of none, process',
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

  it('need no key for a server of one’s own, and none for Azure, where a token may take its place', () => {
    const lacking = (env: Record<string, string>) =>
      errorOf(() => getSettings(env)).problems.map(p => p.variable);
    expect(lacking({ LLM_PROVIDER: 'openai' })).toEqual(['OPENAI_API_KEY']);
    expect(lacking({ LLM_PROVIDER: 'anthropic' })).toEqual(['ANTHROPIC_API_KEY']);
    const local = { LLM_PROVIDER: 'openai', OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1' };
    expect(getSettings(local).openaiApiKey).toBeUndefined();
    const azure = {
      LLM_PROVIDER: 'azure',
      AZURE_ENDPOINT: 'https://res.openai.azure.com',
      DEFAULT_MODEL: 'prod',
    };
    expect(getSettings(azure).azureApiKey).toBeUndefined();
  });

  it('report each variable of a cloud provider that is wrong, and show no key', () => {
    const { message } = errorOf(() =>
      getSettings({
        OPENAI_API_KEY: 'sk-never-to-be-seen',
        OPENAI_API_TYPE: 'assistants',
        OPENAI_BASE_URL: 'api.openai.com',
        ANTHROPIC_BASE_URL: 'ftp://x',
      }),
    );
    expect(message.split('\n')).toEqual([
      '3 settings are wrong:',
      '  OPENAI_BASE_URL="api.openai.com": give a full URL, e.g. https://api.openai.com/v1',
      '  OPENAI_API_TYPE="assistants": use one of chat, responses',
      '  ANTHROPIC_BASE_URL="ftp://x": give a full URL, e.g. https://api.anthropic.com',
    ]);
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
