import { z } from 'zod';
import { type AgentSettings, agentVariablesOf } from './agents.ts';
import {
  type Environment,
  flag,
  httpUrl,
  number,
  oneOf,
  type ProviderType,
  presentOf,
  problemsOf,
  providerType,
  SettingsError,
  type SettingsProblem,
  temperature,
  text,
  url,
} from './variables.ts';

/** Settings of the whole package. Each field is named after its environment variable. Holds keys: do not log it. */
export interface Settings extends AgentSettings {
  llmProvider: ProviderType;
  llamaserverHost: string;
  llamaserverApiType: 'native' | 'openai';
  llamaserverApiKey: string | undefined;
  /** Model of the main provider. Undefined: the one the backend has. */
  defaultModel: string | undefined;
  /** Undefined: the provider's own default. */
  defaultTemperature: number | undefined;
  /** Never send a temperature: some models reject one. */
  disableTemperature: boolean;
  openaiApiKey: string | undefined;
  anthropicApiKey: string | undefined;
  azureEndpoint: string | undefined;
  azureApiKey: string | undefined;
  azureDeploymentName: string | undefined;
  azureApiVersion: string;
  /** Seconds a call may go without progress; 0: no limit. */
  llmTimeout: number;
  /** Tries after the first, before any output. */
  llmMaxRetries: number;
  llamacppModelPath: string | undefined;
  /** Tokens of context; undefined: the adapter's choice. */
  llamacppNCtx: number | undefined;
  /** Layers on the GPU; -1: all of them. */
  llamacppNGpuLayers: number | undefined;
  llamacppNThreads: number | undefined;
  deploymentMode: 'single_node' | 'distributed';
  /** Answer every call with the mock provider. */
  mockLlmEnabled: boolean;
  redisUrl: string | undefined;
}

const key = text.optional();

const count = (min: number, remedy: string) => number({ min, integer: true, remedy });

const environment = z.object({
  LLM_PROVIDER: providerType.default('llamaserver'),
  LLAMASERVER_HOST: httpUrl.default('http://127.0.0.1:8080'),
  LLAMASERVER_API_TYPE: oneOf(['native', 'openai']).default('native'),
  LLAMASERVER_API_KEY: key,
  DEFAULT_MODEL: text.optional(),
  DEFAULT_TEMPERATURE: temperature.optional(),
  DISABLE_TEMPERATURE: flag.default(false),
  OPENAI_API_KEY: key,
  ANTHROPIC_API_KEY: key,
  AZURE_ENDPOINT: url(/^https?$/, 'https://my-resource.openai.azure.com').optional(),
  AZURE_API_KEY: key,
  AZURE_DEPLOYMENT_NAME: text.optional(),
  AZURE_API_VERSION: text.default('2024-02-01'),
  // Node's timers hold 2^31 - 1 milliseconds; a longer one would fire at once.
  LLM_TIMEOUT: number({
    min: 0,
    max: 2_147_483,
    remedy: 'give seconds, 0 or more (0: no limit), e.g. 120',
  }).default(120),
  LLM_MAX_RETRIES: count(0, 'give a whole number, 0 or more, e.g. 3').default(3),
  LLAMACPP_MODEL_PATH: text.optional(),
  LLAMACPP_N_CTX: count(1, 'give tokens as a whole number, e.g. 4096').optional(),
  LLAMACPP_N_GPU_LAYERS: count(-1, 'give a whole number of layers, 0 or more, or -1 for all').optional(),
  LLAMACPP_N_THREADS: count(1, 'give a whole number of threads, e.g. 4').optional(),
  DEPLOYMENT_MODE: oneOf(['single_node', 'distributed']).default('single_node'),
  MOCK_LLM_ENABLED: flag.default(false),
  REDIS_URL: url(/^(rediss?|valkeys?|unix)$/, 'redis://127.0.0.1:6379').optional(),
});

/** What a provider cannot do without. */
const NEEDS: Partial<Record<string, readonly string[]>> = {
  llamacpp: ['LLAMACPP_MODEL_PATH'],
  openai: ['OPENAI_API_KEY'],
  anthropic: ['ANTHROPIC_API_KEY'],
  azure: ['AZURE_ENDPOINT', 'AZURE_API_KEY', 'AZURE_DEPLOYMENT_NAME'],
};

/**
 * Reads settings from variables; an empty one counts as not set.
 * @throws SettingsError with all problems at once
 */
export function readSettings(env: Environment): Settings {
  const present = presentOf(env);
  const parsed = environment.safeParse(present);
  const problems = [...(parsed.success ? [] : problemsOf(parsed.error.issues, present)), ...missing(present)];
  if (!parsed.success || problems.length > 0) throw new SettingsError(problems);
  return settingsOf(parsed.data, present);
}

function missing(env: Environment): SettingsProblem[] {
  const provider = env['LLM_PROVIDER'];
  const needs = (provider && Object.hasOwn(NEEDS, provider) && NEEDS[provider]) || [];
  if (env['MOCK_LLM_ENABLED'] !== undefined && flag.safeParse(env['MOCK_LLM_ENABLED']).data) return [];
  return needs
    .filter(variable => env[variable] === undefined)
    .map(variable => ({ variable, value: undefined, remedy: `LLM_PROVIDER=${provider} needs it` }));
}

function settingsOf(values: z.output<typeof environment>, env: Environment): Settings {
  return {
    llmProvider: values.LLM_PROVIDER,
    llamaserverHost: values.LLAMASERVER_HOST,
    llamaserverApiType: values.LLAMASERVER_API_TYPE,
    llamaserverApiKey: values.LLAMASERVER_API_KEY,
    defaultModel: values.DEFAULT_MODEL,
    defaultTemperature: values.DEFAULT_TEMPERATURE,
    disableTemperature: values.DISABLE_TEMPERATURE,
    openaiApiKey: values.OPENAI_API_KEY,
    anthropicApiKey: values.ANTHROPIC_API_KEY,
    azureEndpoint: values.AZURE_ENDPOINT,
    azureApiKey: values.AZURE_API_KEY,
    azureDeploymentName: values.AZURE_DEPLOYMENT_NAME,
    azureApiVersion: values.AZURE_API_VERSION,
    llmTimeout: values.LLM_TIMEOUT,
    llmMaxRetries: values.LLM_MAX_RETRIES,
    llamacppModelPath: values.LLAMACPP_MODEL_PATH,
    llamacppNCtx: values.LLAMACPP_N_CTX,
    llamacppNGpuLayers: values.LLAMACPP_N_GPU_LAYERS,
    llamacppNThreads: values.LLAMACPP_N_THREADS,
    deploymentMode: values.DEPLOYMENT_MODE,
    mockLlmEnabled: values.MOCK_LLM_ENABLED,
    redisUrl: values.REDIS_URL,
    agents: {},
    agentVariables: agentVariablesOf(env),
  };
}

let current: Settings | undefined;

/**
 * The settings of this process, read from `process.env` at the first call.
 * @param env reads these variables instead and leaves the process's settings alone
 * @throws SettingsError with all problems at once
 */
export function getSettings(env?: Environment): Settings {
  if (env) return readSettings(env);
  current ??= readSettings(process.env);
  return current;
}

/** Makes these the settings of this process. */
export function setSettings(settings: Settings): void {
  current = settings;
}

/** Forgets the settings of this process; the next {@link getSettings} reads them again. */
export function resetSettings(): void {
  current = undefined;
}

/**
 * Reads the settings of this process again. When they are wrong the old ones stay.
 * @throws SettingsError with all problems at once
 */
export function reloadSettings(env: Environment = process.env): Settings {
  current = readSettings(env);
  return current;
}
