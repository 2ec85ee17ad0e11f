import { describe, expect, it, vi } from 'vitest';
import { type LogFields, type Logger, silentLogger } from '../logger.ts';
import { registerAgents } from './agents.ts';
import { logLLMConfig } from './log.ts';
import { getSettings, type Settings } from './settings.ts';

function logged(settings: Settings): { message: string; fields: LogFields | undefined } {
  const lines: { message: string; fields: LogFields | undefined }[] = [];
  logLLMConfig(settings, { ...silentLogger, info: (message, fields) => lines.push({ message, fields }) });
  const [line] = lines;
  if (!line || lines.length > 1) throw new Error(`${lines.length} lines were logged`);
  return line;
}

describe('logLLMConfig', () => {
  it('tells in one line who answers and how', () => {
    expect(logged(getSettings({})).message).toBe(
      'LLM: llamaserver at http://127.0.0.1:8080, the model it has, 120 s timeout, 3 retries, single_node, 0 agents',
    );
    const openai = getSettings({
      LLM_PROVIDER: 'openai',
      OPENAI_API_KEY: 'k',
      OPENAI_MODEL: 'gpt-5',
      LLM_TIMEOUT: '0',
    });
    expect(logged(openai).message).toBe(
      'LLM: openai at https://api.openai.com/v1, gpt-5, no timeout, 3 retries, single_node, 0 agents',
    );
    expect(logged(getSettings({ MOCK_LLM_ENABLED: 'true' })).message).toMatch(
      /^LLM: mock, the model it has, /,
    );
  });

  it('writes its fields to pino as well', () => {
    const info = vi.fn();
    logLLMConfig(getSettings({}), { ...silentLogger, info, bindings: () => ({}) } as Logger);
    expect(info).toHaveBeenCalledWith(
      expect.objectContaining({ provider: 'llamaserver' }),
      expect.any(String),
    );
  });

  it('has the rest in its fields: agents, aliases, and whose keys are set', () => {
    const settings = registerAgents(
      getSettings({
        LLM_PROVIDER: 'azure',
        AZURE_ENDPOINT: 'https://res.openai.azure.com',
        AZURE_API_KEY: 'azure-secret',
        AZURE_DEPLOYMENT_NAME: 'prod',
        ANTHROPIC_API_KEY: 'sk-ant-secret',
        DISABLE_TEMPERATURE: 'true',
        REDIS_URL: 'redis://user:redis-secret@127.0.0.1:6379/0?password=secret-too',
        MODEL_ALIASES:
          '{"fast": {"provider": "openai", "model": "m", "defaults": {"extra": {"k": "secret"}}}}',
      }),
      { planner: { provider: 'llamaserver', llamaServerUrl: 'http://me:agent-secret@gpu:8080' } },
    );
    const { message, fields } = logged(settings);
    expect(fields).toEqual({
      provider: 'azure',
      model: 'prod',
      address: 'https://res.openai.azure.com',
      temperature: 'never sent',
      timeoutSeconds: 120,
      maxRetries: 3,
      deploymentMode: 'single_node',
      mock: false,
      keysSetFor: ['anthropic', 'azure'],
      agents: {
        planner: { provider: 'llamaserver', timeout: 120, maxRetries: 3, llamaServerUrl: 'http://gpu:8080' },
      },
      aliases: { fast: 'openai/m' },
      redis: 'redis://127.0.0.1:6379/0',
    });
    expect(message + JSON.stringify(fields)).not.toContain('secret');
  });

  it('tells the path of a model in this process as it is', () => {
    const settings = getSettings({ LLM_PROVIDER: 'llamacpp', LLAMACPP_MODEL_PATH: '/models/a@1.gguf' });
    expect(logged(settings).message).toMatch(/^LLM: llamacpp at \/models\/a@1\.gguf, /);
  });
});
