import { type Adapter, AirframeError } from '@x/airframe';
import type { LLMProvider, LLMProviderOptions } from './providers/base.ts';
import { LlamaServerProvider, type LlamaServerProviderOptions } from './providers/llama-server.ts';
import {
  LlamaCppProvider,
  type LlamaCppProviderOptions,
  llamaCppNativeAdapter,
} from './providers/llamacpp.ts';
import { MockProvider } from './providers/mock.ts';
import { defined } from './providers/options.ts';
import { agentVariableNames, resolveAgent } from './settings/agents.ts';
import type { Settings } from './settings/settings.ts';
import { PROVIDER_TYPES, type ProviderType } from './settings/variables.ts';

/** What makes up a provider: plain data, so that two agents with the same plan share one provider. */
type ProviderPlan =
  | { type: 'llamaserver'; baseUrl: string; options: LlamaServerProviderOptions }
  | { type: 'llamacpp'; modelPath: string; options: LlamaCppProviderOptions }
  | { type: 'mock' };

/**
 * Makes a provider from settings. Nothing is opened or loaded before its first call.
 * @param type one of {@link PROVIDER_TYPES}
 * @param agentName agent whose own settings apply
 * @throws AirframeError (invalid_request) for a type that is unknown, has no adapter yet, or lacks a setting
 * @throws SettingsError when the agent's own variables are wrong
 */
export function createLLMProvider(
  type: string,
  settings: Settings,
  agentName?: string,
  options: LLMProviderOptions = {},
): LLMProvider {
  return build(planOf(type, settings, agentName), options);
}

/**
 * Makes the provider of an agent: `override`, else the agent's own, else LLM_PROVIDER.
 * @throws as {@link createLLMProvider} does
 */
export function createAgentProvider(
  settings: Settings,
  agentName: string,
  override?: string,
  options: LLMProviderOptions = {},
): LLMProvider {
  return createLLMProvider(override ?? providerTypeOf(settings, agentName), settings, agentName, options);
}

/** The type of provider an agent uses. MOCK_LLM_ENABLED beats everything else. */
export function providerTypeOf(settings: Settings, agentName: string): ProviderType {
  if (settings.mockLlmEnabled) return 'mock';
  return resolveAgent(settings, agentName).provider ?? settings.llmProvider;
}

/** Makes providers once and keeps them. */
export class LLMFactory {
  readonly #settings: Settings;
  readonly #options: LLMProviderOptions;
  /** By plan, not by agent: agents are many and mostly alike. */
  #providers = new Map<string, LLMProvider>();
  readonly #nodeHealth = new Map<string, boolean>();
  /** One adapter for all in-process providers: it holds the loaded model. */
  #nativeAdapter: Adapter | undefined;

  constructor(settings: Settings, options: LLMProviderOptions = {}) {
    this.#settings = settings;
    this.#options = options;
  }

  /**
   * @param useCache false: a provider of its own, for the caller to close
   * @throws as {@link createLLMProvider} does
   */
  getProviderForAgent(agentName: string, useCache = true): LLMProvider {
    return useCache
      ? this.getProvider(providerTypeOf(this.#settings, agentName), agentName)
      : createAgentProvider(this.#settings, agentName, undefined, this.#options);
  }

  /**
   * The provider of this type with the agent's settings.
   * @throws as {@link createLLMProvider} does
   */
  getProvider(type: string, agentName?: string): LLMProvider {
    const plan = planOf(type, this.#settings, agentName);
    const key = JSON.stringify(plan);
    const known = this.#providers.get(key);
    if (known) return known;
    if (plan.type === 'llamacpp') this.#nativeAdapter ??= llamaCppNativeAdapter();
    const provider = build(plan, this.#options, this.#nativeAdapter);
    this.#providers.set(key, provider);
    return provider;
  }

  /** Forgets all providers; calls under way go on. To give back sockets and models use {@link close}. */
  clearCache(): void {
    this.#providers = new Map();
    this.#nativeAdapter = undefined;
  }

  /** Notes what somebody found out about a node. */
  markNodeHealthy(node: string, healthy: boolean): void {
    this.#nodeHealth.set(node, healthy);
  }

  /** What was noted last; undefined: nothing yet. */
  getNodeHealth(node: string): boolean | undefined {
    return this.#nodeHealth.get(node);
  }

  /** Closes and forgets all providers in the cache. */
  async close(): Promise<void> {
    const providers = [...this.#providers.values()];
    this.clearCache();
    await Promise.all(providers.map(provider => provider.close()));
  }
}

function planOf(type: string, settings: Settings, agentName: string | undefined): ProviderPlan {
  const agent = agentName === undefined ? {} : resolveAgent(settings, agentName);
  const temperature = agent.temperature ?? settings.defaultTemperature;
  const common = {
    timeout: settings.llmTimeout * 1_000,
    sendTemperature: !settings.disableTemperature,
    ...(temperature === undefined ? {} : { defaults: { temperature } }),
  };
  switch (knownType(type)) {
    case 'mock':
      return { type: 'mock' };
    case 'llamaserver': {
      const {
        llamaserverHost,
        llamaserverApiType: apiType,
        llamaserverApiKey: apiKey,
        llmMaxRetries,
      } = settings;
      const own = agentName !== undefined && agent.llamaServerUrl !== undefined;
      const options = { ...common, apiType, maxRetries: llmMaxRetries, ...defined({ apiKey }) };
      const hostVariable = own ? { hostVariable: agentVariableNames(agentName).llamaServerUrl } : {};
      return {
        type: 'llamaserver',
        baseUrl: agent.llamaServerUrl ?? llamaserverHost,
        options: { ...options, ...hostVariable },
      };
    }
    case 'llamacpp': {
      const { llamacppModelPath, llamacppNCtx, llamacppNGpuLayers, llamacppNThreads } = settings;
      if (llamacppModelPath === undefined) {
        throw new AirframeError(
          'invalid_request',
          'provider llamacpp has no model; set LLAMACPP_MODEL_PATH to a GGUF file',
          { code: 'configuration' },
        );
      }
      const engine = {
        contextTokens: llamacppNCtx,
        gpuLayers: llamacppNGpuLayers,
        threads: llamacppNThreads,
      };
      return { type: 'llamacpp', modelPath: llamacppModelPath, options: { ...common, ...defined(engine) } };
    }
    default:
      throw new AirframeError(
        'invalid_request',
        `provider ${JSON.stringify(type)} is known, but this version has no adapter for it yet; use ${AVAILABLE.join(', ')}`,
        { code: 'provider_unavailable' },
      );
  }
}

const AVAILABLE: readonly ProviderType[] = ['llamaserver', 'llamacpp', 'mock'];

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

function build(plan: ProviderPlan, options: LLMProviderOptions, nativeAdapter?: Adapter): LLMProvider {
  switch (plan.type) {
    case 'mock':
      return new MockProvider(options);
    case 'llamaserver':
      return new LlamaServerProvider(plan.baseUrl, { ...plan.options, ...options });
    case 'llamacpp': {
      const shared = nativeAdapter ? { adapter: nativeAdapter } : {};
      return new LlamaCppProvider(plan.modelPath, { ...plan.options, ...options, ...shared });
    }
  }
}
