import { z } from 'zod';
import { type AgentSettings, agentVariablesOf } from './agents.ts';
import { aliasesVariable, type ModelAliases } from './aliases.ts';
import { ANTHROPIC_URL, AZURE_API_VERSION, OPENAI_URL } from './defaults.ts';
import {
  type Environment,
  flag,
  httpUrl,
  MAX_TIMER_SECONDS,
  number,
  oneOf,
  type ProviderType,
  presentOf,
  problemsOf,
  providerType,
  retries,
  SettingsError,
  type SettingsProblem,
  seconds,
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
  /** Model of the main provider, or an alias. Undefined: the one the backend has. */
  defaultModel: string | undefined;
  /** Undefined: the provider's own default. */
  defaultTemperature: number | undefined;
  /** Never send a temperature: some models reject one. */
  disableTemperature: boolean;
  /** Model names that stand for a provider, a model and defaults. */
  modelAliases: ModelAliases;
  openaiApiKey: string | undefined;
  openaiBaseUrl: string;
  openaiApiType: 'chat' | 'responses';
  openaiOrgId: string | undefined;
  openaiProjectId: string | undefined;
  /** Comes before {@link defaultModel}, and is there when the provider is a fallback; so is {@link anthropicModel}. */
  openaiModel: string | undefined;
  anthropicApiKey: string | undefined;
  anthropicBaseUrl: string;
  anthropicModel: string | undefined;
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
  /** Seconds after its last call that a model is unloaded; 0 and undefined: never. */
  llamacppIdleUnload: number | undefined;
  /** `process`: llama.cpp runs in a process of its own; undefined: the adapter's choice, `none`. */
  llamacppIsolation: 'none' | 'process' | undefined;
  /** false: load a model even if it seems not to fit into memory; undefined: the adapter's choice, true. */
  llamacppCheckMemory: boolean | undefined;
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
  MODEL_ALIASES: aliasesVariable.default({}),
  OPENAI_API_KEY: key,
  OPENAI_BASE_URL: url(/^https?$/, OPENAI_URL).default(OPENAI_URL),
  OPENAI_API_TYPE: oneOf(['chat', 'responses']).default('chat'),
  OPENAI_ORG_ID: text.optional(),
  OPENAI_PROJECT_ID: text.optional(),
  OPENAI_MODEL: text.optional(),
  ANTHROPIC_API_KEY: key,
  ANTHROPIC_BASE_URL: url(/^https?$/, ANTHROPIC_URL).default(ANTHROPIC_URL),
  ANTHROPIC_MODEL: text.optional(),
  AZURE_ENDPOINT: url(/^https?$/, 'https://my-resource.openai.azure.com').optional(),
  AZURE_API_KEY: key,
  AZURE_DEPLOYMENT_NAME: text.optional(),
  AZURE_API_VERSION: text.default(AZURE_API_VERSION),
  LLM_TIMEOUT: seconds.default(120),
  LLM_MAX_RETRIES: retries.default(3),
  LLAMACPP_MODEL_PATH: text.optional(),
  LLAMACPP_N_CTX: count(1, 'give tokens as a whole number, e.g. 4096').optional(),
  LLAMACPP_N_GPU_LAYERS: count(-1, 'give a whole number of layers, 0 or more, or -1 for all').optional(),
  LLAMACPP_N_THREADS: count(1, 'give a whole number of threads, e.g. 4').optional(),
  LLAMACPP_IDLE_UNLOAD: number({
    min: 0,
    max: MAX_TIMER_SECONDS,
    remedy: 'give seconds, 0 or more (0: never), e.g. 600',
  }).optional(),
  LLAMACPP_ISOLATION: oneOf(['none', 'process']).optional(),
  LLAMACPP_CHECK_MEMORY: flag.optional(),
  DEPLOYMENT_MODE: oneOf(['single_node', 'distributed']).default('single_node'),
  MOCK_LLM_ENABLED: flag.default(false),
  REDIS_URL: url(/^(rediss?|valkeys?|unix)$/, 'redis://127.0.0.1:6379').optional(),
});

/** What a provider cannot do without, unless another variable is set. */
const NEEDS: Partial<Record<string, readonly { variable: string; unless?: string }[]>> = {
  llamacpp: [{ variable: 'LLAMACPP_MODEL_PATH' }],
  // A server of one's own may want no key.
  openai: [{ variable: 'OPENAI_API_KEY', unless: 'OPENAI_BASE_URL' }],
  anthropic: [{ variable: 'ANTHROPIC_API_KEY', unless: 'ANTHROPIC_BASE_URL' }],
  // Instead of AZURE_API_KEY there may be a token provider, which only code can give.
  azure: [{ variable: 'AZURE_ENDPOINT' }, { variable: 'AZURE_DEPLOYMENT_NAME', unless: 'DEFAULT_MODEL' }],
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
    .filter(({ variable, unless }) => env[variable] === undefined && !(unless && env[unless]))
    .map(({ variable }) => ({ variable, value: undefined, remedy: `LLM_PROVIDER=${provider} needs it` }));
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
    modelAliases: values.MODEL_ALIASES,
    openaiApiKey: values.OPENAI_API_KEY,
    openaiBaseUrl: values.OPENAI_BASE_URL,
    openaiApiType: values.OPENAI_API_TYPE,
    openaiOrgId: values.OPENAI_ORG_ID,
    openaiProjectId: values.OPENAI_PROJECT_ID,
    openaiModel: values.OPENAI_MODEL,
    anthropicApiKey: values.ANTHROPIC_API_KEY,
    anthropicBaseUrl: values.ANTHROPIC_BASE_URL,
    anthropicModel: values.ANTHROPIC_MODEL,
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
    llamacppIdleUnload: values.LLAMACPP_IDLE_UNLOAD,
    llamacppIsolation: values.LLAMACPP_ISOLATION,
    llamacppCheckMemory: values.LLAMACPP_CHECK_MEMORY,
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
