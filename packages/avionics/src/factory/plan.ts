import { createHash } from 'node:crypto';
import { AirframeError } from '@x/airframe';
import type { RequestDefaults } from '../providers/adapter-provider.ts';
import type { AnthropicProviderOptions } from '../providers/anthropic.ts';
import type { AzureAIFoundryProviderOptions } from '../providers/azure.ts';
import type { LlamaServerProviderOptions } from '../providers/llama-server.ts';
import type { LlamaCppProviderOptions } from '../providers/llamacpp.ts';
import type { OpenAIProviderOptions } from '../providers/openai.ts';
import { defined } from '../providers/options.ts';
import { agentVariableNames, resolveAgent } from '../settings/agents.ts';
import { choiceOf, ownModelOf, requestDefaultsOf } from '../settings/choice.ts';
import type { Settings } from '../settings/settings.ts';
import { PROVIDER_TYPES, type ProviderType } from '../settings/variables.ts';

/** What makes up a provider: plain data, so that two agents with the same plan share one. Holds keys: do not log it. */
export type ProviderPlan =
  | {
      type: 'llamaserver';
      baseUrl: string;
      /** The agent has this server to itself, by its own variable or config. */
      isAgentsOwn: boolean;
      options: LlamaServerProviderOptions;
    }
  | { type: 'llamacpp'; modelPath: string; options: LlamaCppProviderOptions }
  | { type: 'openai'; options: OpenAIProviderOptions }
  | { type: 'anthropic'; options: AnthropicProviderOptions }
  | { type: 'azure'; options: AzureAIFoundryProviderOptions }
  | { type: 'mock' };

/** What all plans but the mock's say. */
interface CommonOptions {
  timeout: number;
  sendTemperature: boolean;
  defaults: RequestDefaults;
}

/** What a plan is made of. */
interface Ground {
  settings: Settings;
  agentName: string | undefined;
  common: CommonOptions;
  maxRetries: number;
  /** The agent's, when this is the provider that it means, else the provider's own. */
  model: string | undefined;
}

/**
 * The plan of a provider of this type for an agent, or for nobody in particular.
 * @throws AirframeError (invalid_request) for a type that is unknown or lacks a setting
 * @throws SettingsError when the agent's own variables are wrong
 */
export function planOf(type: string, settings: Settings, agentName: string | undefined): ProviderPlan {
  const known = knownType(type);
  if (known === 'mock' || settings.mockLlmEnabled) return { type: 'mock' };
  const agent = agentName === undefined ? {} : resolveAgent(settings, agentName);
  const { provider, model } = choiceOf(settings, agentName);
  return PLANS[known]({
    settings,
    agentName,
    common: {
      timeout: (agent.timeout ?? settings.llmTimeout) * 1_000,
      sendTemperature: !settings.disableTemperature,
      defaults: requestDefaultsOf(settings, known, agentName),
    },
    maxRetries: agent.maxRetries ?? settings.llmMaxRetries,
    model: provider === known ? model : ownModelOf(settings, known),
  });
}

const PLANS: Record<Exclude<ProviderType, 'mock'>, (ground: Ground) => ProviderPlan> = {
  llamaserver: llamaServerPlan,
  llamacpp: llamaCppPlan,
  // '' keeps the provider from looking into the environment: settings may come from elsewhere.
  openai: ({ settings, common, maxRetries, model = '' }) => ({
    type: 'openai',
    options: {
      ...common,
      maxRetries,
      model,
      apiKey: settings.openaiApiKey ?? '',
      baseUrl: settings.openaiBaseUrl,
      api: settings.openaiApiType,
      organization: settings.openaiOrgId ?? '',
      project: settings.openaiProjectId ?? '',
    },
  }),
  anthropic: ({ settings, common, maxRetries, model = '' }) => ({
    type: 'anthropic',
    options: {
      ...common,
      maxRetries,
      model,
      apiKey: settings.anthropicApiKey ?? '',
      baseUrl: settings.anthropicBaseUrl,
    },
  }),
  azure: ({ settings, common, maxRetries, model = '' }) => ({
    type: 'azure',
    options: {
      ...common,
      maxRetries,
      apiKey: settings.azureApiKey ?? '',
      endpoint: settings.azureEndpoint ?? '',
      deploymentName: model,
      apiVersion: settings.azureApiVersion,
    },
  }),
};

function llamaServerPlan({ settings, agentName, common, maxRetries, model }: Ground): ProviderPlan {
  const { llamaserverHost, llamaserverApiType: apiType, llamaserverApiKey: apiKey } = settings;
  const ownUrl = agentName === undefined ? undefined : resolveAgent(settings, agentName).llamaServerUrl;
  const hostVariable = ownUrl && agentName && agentVariableNames(agentName).llamaServerUrl;
  return {
    type: 'llamaserver',
    baseUrl: ownUrl ?? llamaserverHost,
    isAgentsOwn: ownUrl !== undefined,
    options: { ...common, apiType, maxRetries, ...defined({ apiKey, model, hostVariable }) },
  };
}

function llamaCppPlan({ settings, common }: Ground): ProviderPlan {
  const { llamacppModelPath, llamacppIdleUnload: idleSeconds } = settings;
  if (llamacppModelPath === undefined) {
    throw new AirframeError(
      'invalid_request',
      'provider llamacpp has no model; set LLAMACPP_MODEL_PATH to a GGUF file',
      { code: 'configuration' },
    );
  }
  const engine = {
    contextTokens: settings.llamacppNCtx,
    gpuLayers: settings.llamacppNGpuLayers,
    threads: settings.llamacppNThreads,
    idleUnloadMs: idleSeconds === undefined ? undefined : Math.round(idleSeconds * 1_000),
    checkMemory: settings.llamacppCheckMemory,
    isolation: settings.llamacppIsolation,
  };
  return { type: 'llamacpp', modelPath: llamacppModelPath, options: { ...common, ...defined(engine) } };
}

/** Whether nodes answer in the place of what the plan says: not for an agent with a server of its own. */
export function isForNodes(
  { deploymentMode }: Settings,
  plan: ProviderPlan,
): plan is ProviderPlan & { type: 'llamaserver' } {
  return deploymentMode === 'distributed' && plan.type === 'llamaserver' && !plan.isAgentsOwn;
}

/** @throws AirframeError (invalid_request) naming the value and the valid ones */
export function knownType(type: string): ProviderType {
  const known = PROVIDER_TYPES.find(name => name === type);
  if (known) return known;
  throw new AirframeError(
    'invalid_request',
    `unknown LLM provider ${JSON.stringify(type)}; use one of ${PROVIDER_TYPES.join(', ')}`,
    { code: 'provider_unknown' },
  );
}

/** What two plans have in common only when they are the same; keys stand in it as hashes. */
export function cacheKeyOf(plan: ProviderPlan): string {
  return JSON.stringify(plan, (name, value: unknown) =>
    name === 'apiKey' && typeof value === 'string' && value !== ''
      ? createHash('sha256').update(value).digest('base64url')
      : value,
  );
}
