import type { Adapter } from '@x/airframe';
import { build, type ProviderBuildOptions } from './factory/build.ts';
import { cacheKeyOf, type ProviderPlan, planOf } from './factory/plan.ts';
import type { LLMProvider } from './providers/base.ts';
import { llamaCppNativeAdapter } from './providers/llamacpp.ts';
import { providerTypeOf } from './settings/choice.ts';
import type { Settings } from './settings/settings.ts';

export { knownType } from './factory/plan.ts';
export { providerTypeOf } from './settings/choice.ts';

/**
 * Makes a provider from settings. Nothing is opened or loaded before its first call.
 * @param type one of PROVIDER_TYPES; MOCK_LLM_ENABLED makes a mock of each
 * @param agentName agent whose own settings apply
 * @throws AirframeError (invalid_request or auth) for a type that is unknown or lacks a setting
 * @throws SettingsError when the agent's own variables are wrong
 */
export function createLLMProvider(
  type: string,
  settings: Settings,
  agentName?: string,
  options: ProviderBuildOptions = {},
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
  options: ProviderBuildOptions = {},
): LLMProvider {
  return createLLMProvider(override ?? providerTypeOf(settings, agentName), settings, agentName, options);
}

export interface LLMFactoryOptions extends ProviderBuildOptions {
  /**
   * With DEPLOYMENT_MODE=distributed: the provider that shares an agent's calls out to nodes, in the place of the one
   * that the plan tells; undefined: none for this plan. Not asked for an agent with a llama-server of its own, nor
   * for a mock. Whoever makes it closes it.
   */
  nodeProvider?: (agentName: string | undefined, plan: ProviderPlan) => LLMProvider | undefined;
}

interface KeyedPlan {
  plan: ProviderPlan;
  key: string;
}

/** Bounds what a stream of made-up agent names can take of memory. */
const MAX_PLANS = 1_000;

/** Makes providers once and keeps them. */
export class LLMFactory {
  readonly #settings: Settings;
  readonly #options: LLMFactoryOptions;
  /** By type and agent: making a plan takes far longer than a look-up. */
  readonly #plans = new Map<string, KeyedPlan>();
  /** By plan, not by agent: agents are many and mostly alike. */
  #providers = new Map<string, LLMProvider>();
  /** Those that are not in the cache, or no longer. Weakly, for whoever has them may close and forget them. */
  readonly #others = new Set<WeakRef<LLMProvider>>();
  readonly #nodeHealth = new Map<string, boolean>();
  /** One adapter for all in-process providers in the cache: it holds the loaded model. */
  #nativeAdapter: Adapter | undefined;

  /** @param settings not to be changed from now on */
  constructor(settings: Settings, options: LLMFactoryOptions = {}) {
    this.#settings = settings;
    this.#options = options;
  }

  /**
   * @param useCache false: a provider of its own. Close it when it is done with; {@link close} does so at the latest.
   * @throws as {@link createLLMProvider} does
   */
  getProviderForAgent(agentName: string, useCache = true): LLMProvider {
    const type = providerTypeOf(this.#settings, agentName);
    if (useCache) return this.getProvider(type, agentName);
    const { plan } = this.#planOf(type, agentName);
    const nodes = this.#nodeProviderOf(plan, agentName);
    if (nodes) return nodes;
    const provider = build(plan, this.#options);
    this.#remember(provider);
    return provider;
  }

  /**
   * The provider of this type with the agent's settings.
   * @throws as {@link createLLMProvider} does
   */
  getProvider(type: string, agentName?: string): LLMProvider {
    const { plan, key } = this.#planOf(type, agentName);
    const nodes = this.#nodeProviderOf(plan, agentName);
    if (nodes) return nodes;
    const known = this.#providers.get(key);
    if (known) return known;
    if (plan.type === 'llamacpp') this.#nativeAdapter ??= llamaCppNativeAdapter();
    const provider = build(plan, this.#options, this.#nativeAdapter);
    this.#providers.set(key, provider);
    return provider;
  }

  /**
   * Forgets all providers; calls under way go on, and a model that is loaded in this process stays so. To give back
   * sockets and models use {@link close}.
   */
  clearCache(): void {
    for (const provider of this.#providers.values()) this.#remember(provider);
    this.#providers = new Map();
  }

  /** Notes what somebody found out about a node. */
  markNodeHealthy(node: string, healthy: boolean): void {
    this.#nodeHealth.set(node, healthy);
  }

  /** What was noted last; undefined: nothing yet. */
  getNodeHealth(node: string): boolean | undefined {
    return this.#nodeHealth.get(node);
  }

  /** Closes and forgets all providers it has made, those outside the cache included. Of nodes it has made none. */
  async close(): Promise<void> {
    this.clearCache();
    const made = [...this.#others].map(reference => reference.deref());
    this.#others.clear();
    const native = this.#nativeAdapter;
    this.#nativeAdapter = undefined;
    await Promise.all([...made.map(provider => provider?.close()), native?.close()]);
  }

  #planOf(type: string, agentName: string | undefined): KeyedPlan {
    const name = JSON.stringify([type, agentName]);
    const known = this.#plans.get(name);
    if (known) return known;
    const plan = planOf(type, this.#settings, agentName);
    const made = { plan, key: cacheKeyOf(plan) };
    if (this.#plans.size >= MAX_PLANS) this.#plans.clear();
    this.#plans.set(name, made);
    return made;
  }

  #nodeProviderOf(plan: ProviderPlan, agentName: string | undefined): LLMProvider | undefined {
    if (this.#settings.deploymentMode !== 'distributed' || plan.type === 'mock') return undefined;
    if (plan.type === 'llamaserver' && plan.isAgentsOwn) return undefined;
    return this.#options.nodeProvider?.(agentName, plan);
  }

  #remember(provider: LLMProvider): void {
    for (const reference of this.#others) if (!reference.deref()) this.#others.delete(reference);
    this.#others.add(new WeakRef(provider));
  }
}
