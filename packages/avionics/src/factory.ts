import type { Adapter } from '@x/airframe';
import { build, buildOnNodes, type ProviderBuildOptions } from './factory/build.ts';
import { cacheKeyOf, isForNodes, type ProviderPlan, planOf } from './factory/plan.ts';
import type { NodePool } from './nodes/pool.ts';
import type { LLMProvider } from './providers/base.ts';
import { llamaCppNativeAdapter } from './providers/llamacpp.ts';
import { defined } from './providers/options.ts';
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
   * With DEPLOYMENT_MODE=distributed: llama-servers that share the calls of the provider llamaserver, but for agents
   * with a server of their own. The caller closes the pool.
   */
  nodes?: NodePool;
}

interface KeyedPlan {
  plan: ProviderPlan;
  key: string;
}

/** Bounds what a stream of made-up agent names can take of memory. */
const MAX_AGENTS = 1_000;

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
  /** By agent and plan; they hold nothing that would have to be closed. */
  readonly #onNodes = new Map<string, LLMProvider>();
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
    const planned = this.#planOf(type, agentName);
    const onNodes = this.#onNodesFor(planned, agentName);
    if (onNodes) return onNodes;
    const { plan } = planned;
    const provider = build(plan, this.#options);
    this.#remember(provider);
    return provider;
  }

  /**
   * The provider of this type with the agent's settings.
   * @throws as {@link createLLMProvider} does
   */
  getProvider(type: string, agentName?: string): LLMProvider {
    const planned = this.#planOf(type, agentName);
    const onNodes = this.#onNodesFor(planned, agentName);
    if (onNodes) return onNodes;
    const { plan, key } = planned;
    const known = this.#providers.get(key);
    if (known) return known;
    const { onLoadProgress } = this.#options;
    if (plan.type === 'llamacpp') this.#nativeAdapter ??= llamaCppNativeAdapter(defined({ onLoadProgress }));
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

  /**
   * Notes what somebody found out about a node: {@link NodePool.markNodeHealthy}, or a note and no more without nodes.
   * @throws AirframeError (not_found) for a node that is not in the pool
   */
  markNodeHealthy(node: string, healthy: boolean): void {
    const { nodes } = this.#options;
    if (nodes) nodes.markNodeHealthy(node, healthy);
    else this.#nodeHealth.set(node, healthy);
  }

  /**
   * Whether a node takes calls: {@link NodePool.getNodeHealth}, or what was noted last without nodes.
   * @returns undefined: nobody knows yet
   * @throws AirframeError (not_found) for a node that is not in the pool
   */
  getNodeHealth(node: string): boolean | undefined {
    const { nodes } = this.#options;
    return nodes ? nodes.getNodeHealth(node) : this.#nodeHealth.get(node);
  }

  /** Closes and forgets all providers it has made, those outside the cache included. The nodes stay open. */
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
    if (this.#plans.size >= MAX_AGENTS) this.#plans.clear();
    this.#plans.set(name, made);
    return made;
  }

  #onNodesFor({ plan, key }: KeyedPlan, agentName: string | undefined): LLMProvider | undefined {
    const { nodes } = this.#options;
    if (!nodes || !isForNodes(this.#settings, plan)) return undefined;
    const name = JSON.stringify([agentName, key]);
    const known = this.#onNodes.get(name);
    if (known) return known;
    const provider = buildOnNodes(plan, nodes, this.#options, { agentName });
    if (this.#onNodes.size >= MAX_AGENTS) this.#onNodes.clear();
    this.#onNodes.set(name, provider);
    return provider;
  }

  #remember(provider: LLMProvider): void {
    for (const reference of this.#others) if (!reference.deref()) this.#others.delete(reference);
    this.#others.add(new WeakRef(provider));
  }
}
