import { describe, expect, it } from 'vitest';
import { hashOf, KeyRing, makeKey } from '../auth/keys.ts';
import { embeddedConfig, withKeys } from './embedded.ts';
import { configSchema } from './schema.ts';

const PILOT = expect.stringMatching(/^\/.*demo-model\/pilot\.gguf$/);

describe('without a file', () => {
  it('the demo model answers, for who has the key that was made', () => {
    const { config, adminKey } = embeddedConfig({});
    expect(config).toEqual({
      server: {},
      providers: { local: { type: 'llamacpp', modelPath: PILOT } },
      models: { pilot: { targets: [{ provider: 'local' }] } },
      defaultModel: 'pilot',
      keys: [{ name: 'admin', hash: hashOf(adminKey), admin: true }],
    });
    expect(configSchema.safeParse(config).success).toBe(true);
    expect(new KeyRing(config.keys ?? []).find(adminKey)?.admin).toBe(true);
    expect(embeddedConfig({}).adminKey).not.toBe(adminKey);
  });

  it('providers of the environment come beside it, each with its model', () => {
    const { config } = embeddedConfig({
      LLAMASERVER_HOST: 'http://10.0.0.5:8080',
      LLAMASERVER_API_KEY: 'key-of-llama',
      OPENAI_API_KEY: 'key-of-openai',
      OPENAI_MODEL: 'gpt-5',
      ANTHROPIC_API_KEY: 'key-of-anthropic',
      ANTHROPIC_MODEL: 'claude-opus-4-5',
      GATEWAY_HOST: '0.0.0.0',
      GATEWAY_PORT: '0',
    });
    expect(config).toMatchObject({
      server: { host: '0.0.0.0', port: 0 },
      providers: {
        local: { type: 'llamacpp' },
        llamaserver: { type: 'llamaserver', baseUrl: 'http://10.0.0.5:8080', apiKey: 'key-of-llama' },
        openai: { type: 'openai', apiKey: 'key-of-openai', baseUrl: 'https://api.openai.com/v1' },
        anthropic: { type: 'anthropic', apiKey: 'key-of-anthropic', model: 'claude-opus-4-5' },
      },
      models: {
        pilot: { targets: [{ provider: 'local' }] },
        llamaserver: { targets: [{ provider: 'llamaserver' }] },
        'gpt-5': { targets: [{ provider: 'openai' }] },
        'claude-opus-4-5': { targets: [{ provider: 'anthropic' }] },
      },
      defaultModel: 'pilot',
    });
    expect(configSchema.safeParse(config).success).toBe(true);
  });

  it('LLM_PROVIDER says whose model is the default one', () => {
    const defaultOf = (env: Record<string, string>) => embeddedConfig(env).config.defaultModel;
    expect(defaultOf({ LLM_PROVIDER: 'llamaserver' })).toBe('llamaserver');
    expect(defaultOf({ LLM_PROVIDER: 'openai', OPENAI_API_KEY: 'key', DEFAULT_MODEL: 'gpt-5' })).toBe(
      'gpt-5',
    );
    expect(defaultOf({ OPENAI_API_KEY: 'key-without-model' })).toBe('pilot');
  });

  it.each([
    [
      { LLM_PROVIDER: 'azure', AZURE_ENDPOINT: 'https://h', DEFAULT_MODEL: 'd' },
      /LLM_PROVIDER: not good: "azure"; write a gateway.yaml/,
    ],
    [
      { LLM_PROVIDER: 'openai', OPENAI_API_KEY: 'key' },
      /OPENAI_MODEL: is not set; LLM_PROVIDER=openai needs it/,
    ],
    [
      { LLM_PROVIDER: 'openai', OPENAI_MODEL: 'm' },
      /OPENAI_API_KEY is not set: LLM_PROVIDER=openai needs it/,
    ],
    [{ LLAMASERVER_HOST: 'foo' }, /LLAMASERVER_HOST="foo": give a full URL/],
    [
      { LLAMACPP_MODEL_PATH: '/no.gguf' },
      /LLAMACPP_MODEL_PATH: not good: "\/no.gguf"; there is no such file/,
    ],
    [{ GATEWAY_PORT: 'http' }, /GATEWAY_PORT: not a port: "http"/],
  ])('what is wrong in the environment is named: %o', (env, message) => {
    expect(() => embeddedConfig(env)).toThrow(message);
  });
});

describe('a configuration without keys', () => {
  it('gets an admin key, the same one at a reload, and keeps its own where it has some', () => {
    const made = makeKey();
    const bare = { providers: { box: { type: 'mock' as const } } };
    const { config, adminKey } = withKeys(bare, made);
    expect(adminKey).toBe(made.key);
    expect(withKeys(bare, made)).toEqual({ config, adminKey });
    expect(withKeys(config)).toEqual({ config });
  });
});
