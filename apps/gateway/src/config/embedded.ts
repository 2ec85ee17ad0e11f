import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, resolve } from 'node:path';
import { type Environment, readSettings, type Settings } from '@x/avionics';
import { type MadeKey, makeKey } from '../auth/keys.ts';
import { overridesOf, withOverrides } from './overrides.ts';
import { ConfigError, type ConfigProblem, shown } from './problem.ts';
import type { Config, ProviderConfig } from './schema.ts';

/** A configuration whose users have a key. */
export interface KeyedConfig {
  config: Config;
  /** Its admin's key in clear, to be shown once; absent: the configuration names its keys itself. */
  adminKey?: string;
}

/** A provider with one model, under the name that clients use. */
interface Entry {
  name: string;
  config: ProviderConfig;
  alias: string;
}

/**
 * What the gateway does without a file: the demo model in this process (or that of LLAMACPP_MODEL_PATH), all state in
 * memory, this machine alone unless GATEWAY_HOST says else, one admin key made now. Beside it comes what the environment
 * names: LLAMASERVER_HOST as model `llamaserver`; with OPENAI_API_KEY the model that OPENAI_MODEL names, by that name;
 * with ANTHROPIC_API_KEY that of ANTHROPIC_MODEL. LLM_PROVIDER says whose model is the default one.
 * @throws SettingsError or ConfigError naming variable, value and remedy
 */
export function embeddedConfig(
  env: Environment = process.env,
  made: MadeKey = makeKey(),
): Required<KeyedConfig> {
  const overrides = overridesOf(env);
  const path = modelPath(env);
  const settings = readSettings({
    ...env,
    LLM_PROVIDER: env['LLM_PROVIDER'] || 'llamacpp',
    LLAMACPP_MODEL_PATH: path,
  });
  const entries = entriesOf(settings, env, path);
  const first = entries.find(({ config }) => config.type === settings.llmProvider);
  const problems = [
    ...overrides.problems,
    ...(existsSync(path)
      ? []
      : [wrong('LLAMACPP_MODEL_PATH', path, 'there is no such file; give a GGUF file')]),
    ...(first ? [] : [noDefault(settings.llmProvider)]),
  ];
  if (!first || problems.length > 0) throw new ConfigError(problems);
  const config: Config = {
    providers: Object.fromEntries(entries.map(({ name, config }) => [name, config])),
    models: Object.fromEntries(entries.map(({ name, alias }) => [alias, { targets: [{ provider: name }] }])),
    defaultModel: first.alias,
  };
  return { adminKey: made.key, ...withKeys(withOverrides(config, overrides), made) };
}

/** With an admin key of its own where a configuration names no keys; to be given the key of the start at each reload. */
export function withKeys(config: Config, made: MadeKey = makeKey()): KeyedConfig {
  if (config.keys !== undefined) return { config };
  const keys = [{ name: 'admin', hash: made.hash, admin: true }];
  return { config: { ...config, keys }, adminKey: made.key };
}

function entriesOf(settings: Settings, env: Environment, modelPath: string): Entry[] {
  const { llmProvider, openaiApiKey, anthropicApiKey } = settings;
  const alias = basename(modelPath).replace(/\.gguf$/i, '');
  const entries: Entry[] = [{ name: 'local', alias, config: { type: 'llamacpp', modelPath } }];
  if (env['LLAMASERVER_HOST'] || llmProvider === 'llamaserver') {
    const { llamaserverHost: baseUrl, llamaserverApiKey: apiKey } = settings;
    const config = { type: 'llamaserver', baseUrl, ...(apiKey && { apiKey }) } as const;
    entries.push({ name: 'llamaserver', alias: 'llamaserver', config });
  }
  const openaiModel = settings.openaiModel ?? (llmProvider === 'openai' ? settings.defaultModel : undefined);
  if (openaiModel && (openaiApiKey || llmProvider === 'openai')) {
    const { openaiBaseUrl: baseUrl, openaiApiType: api } = settings;
    const config = {
      type: 'openai',
      baseUrl,
      api,
      model: openaiModel,
      ...(openaiApiKey && { apiKey: openaiApiKey }),
    } as const;
    entries.push({ name: 'openai', alias: openaiModel, config });
  }
  const anthropicModel =
    settings.anthropicModel ?? (llmProvider === 'anthropic' ? settings.defaultModel : undefined);
  if (anthropicModel && (anthropicApiKey || llmProvider === 'anthropic')) {
    const { anthropicBaseUrl: baseUrl } = settings;
    const key = anthropicApiKey && { apiKey: anthropicApiKey };
    const config = { type: 'anthropic', baseUrl, model: anthropicModel, ...key } as const;
    entries.push({ name: 'anthropic', alias: anthropicModel, config });
  }
  return entries;
}

/** Why the provider of the default model is not among those there are. */
function noDefault(provider: Settings['llmProvider']): ConfigProblem {
  if (provider !== 'openai' && provider !== 'anthropic') {
    return wrong(
      'LLM_PROVIDER',
      provider,
      'write a gateway.yaml for it, or use llamacpp, llamaserver, openai or anthropic',
    );
  }
  const path = `${provider.toUpperCase()}_MODEL`;
  return { path, message: `is not set; LLM_PROVIDER=${provider} needs it` };
}

function wrong(path: string, value: string, remedy: string): ConfigProblem {
  return { path, message: `not good: ${shown(value)}; ${remedy}` };
}

/** npm runs this in another folder than the user's. */
function modelPath(env: Environment): string {
  const given = env['LLAMACPP_MODEL_PATH']?.trim();
  if (given) return resolve(env['INIT_CWD'] || '.', given);
  return createRequire(import.meta.url).resolve('@x/demo-model/pilot.gguf');
}
