import type { RequestDefaults } from '../providers/adapter-provider.ts';
import { defined } from '../providers/options.ts';
import { type AgentConfig, resolveAgent } from './agents.ts';
import { resolveModel } from './aliases.ts';
import type { Settings } from './settings.ts';
import type { ProviderType } from './variables.ts';

/** Who is to answer. */
export interface ModelChoice {
  provider: ProviderType;
  /** As the provider knows it; undefined: the provider's own. */
  model: string | undefined;
  /** From the alias that was asked for: what the request gets where it says nothing. */
  defaults: RequestDefaults;
}

/**
 * The provider and model of an agent, or of nobody in particular. An alias as the agent's model or as DEFAULT_MODEL
 * decides both; else the provider is the agent's or LLM_PROVIDER, and the model the agent's, the provider's own or
 * DEFAULT_MODEL. MOCK_LLM_ENABLED beats all of them.
 * @throws SettingsError when the agent's own variables are wrong
 */
export function choiceOf(settings: Settings, agentName?: string): ModelChoice {
  const agent = agentName === undefined ? {} : resolveAgent(settings, agentName);
  const provider = agent.provider ?? settings.llmProvider;
  const own = ownModelOf(settings, provider);
  // DEFAULT_MODEL means something to the main provider only.
  const isMain = provider === settings.llmProvider;
  const name = agent.model ?? (isMain && own === undefined ? settings.defaultModel : undefined);
  return name === undefined
    ? { provider: settings.mockLlmEnabled ? 'mock' : provider, model: own, defaults: {} }
    : chosen(settings, name, provider);
}

/** The model that a provider's own variable names: OPENAI_MODEL, ANTHROPIC_MODEL, AZURE_DEPLOYMENT_NAME. */
export function ownModelOf(settings: Settings, provider: ProviderType): string | undefined {
  switch (provider) {
    case 'openai':
      return settings.openaiModel;
    case 'anthropic':
      return settings.anthropicModel;
    case 'azure':
      return settings.azureDeploymentName;
    default:
      return undefined;
  }
}

/**
 * The provider and model of one call.
 * @param model named in the call, a model or an alias; undefined: the agent's own
 * @returns in `defaults` those of an alias named in the call; an agent's own alias is in its provider already
 * @throws SettingsError when the agent's own variables are wrong
 */
export function resolveCall(settings: Settings, agentName: string, model?: string): ModelChoice {
  const own = choiceOf(settings, agentName);
  return model === undefined ? { ...own, defaults: {} } : chosen(settings, model, own.provider);
}

function chosen(settings: Settings, name: string, ownProvider: ProviderType): ModelChoice {
  const { provider = ownProvider, model, defaults = {} } = resolveModel(settings, name);
  return { provider: settings.mockLlmEnabled ? 'mock' : provider, model, defaults };
}

/** The type of provider an agent uses. */
export function providerTypeOf(settings: Settings, agentName: string): ProviderType {
  return choiceOf(settings, agentName).provider;
}

/**
 * What an agent's calls to a provider of this type get where they say nothing: the agent's own, else its alias's, else
 * the defaults of all.
 */
export function requestDefaultsOf(
  settings: Settings,
  type: ProviderType,
  agentName?: string,
): RequestDefaults {
  const { temperature, maxTokens } = agentName === undefined ? {} : resolveAgent(settings, agentName);
  const { provider, defaults } = choiceOf(settings, agentName);
  return {
    ...defined({ temperature: settings.defaultTemperature }),
    ...(provider === type ? defaults : {}),
    ...defined({ temperature, maxTokens }),
  };
}

/** A registered agent with all that applies to it. */
export interface ListedAgent extends AgentConfig {
  name: string;
  provider: ProviderType;
  timeout: number;
  maxRetries: number;
}

/**
 * The registered agents, each as it will be: variables over its config over the settings of all.
 * @throws SettingsError naming what is wrong with the first agent that has something wrong
 */
export function listAgents(settings: Settings): ListedAgent[] {
  return Object.keys(settings.agents).map(name => {
    const { llamaServerUrl, timeout, maxRetries } = resolveAgent(settings, name);
    const { provider, model } = choiceOf(settings, name);
    const { temperature, maxTokens } = requestDefaultsOf(settings, provider, name);
    return {
      name,
      provider,
      timeout: timeout ?? settings.llmTimeout,
      maxRetries: maxRetries ?? settings.llmMaxRetries,
      ...defined({ model, temperature, maxTokens, llamaServerUrl }),
    };
  });
}
