import { createAgentProvider, providerTypeOf } from '../factory.ts';
import type { LLMProvider, LLMProviderOptions } from '../providers/base.ts';
import type { LlamaServerProviderOptions } from '../providers/llama-server.ts';
import { defined } from '../providers/options.ts';
import { resolveAgent } from '../settings/agents.ts';
import type { Settings } from '../settings/settings.ts';
import { NodePool } from './pool.ts';
import { NodePoolProvider } from './pool-provider.ts';
import type { NodeProfile } from './profiles.ts';

/**
 * The provider of an agent over the nodes of a cluster. Without nodes, with another DEPLOYMENT_MODE than
 * `distributed`, for an agent with a llama-server of its own and for one whose provider is not llamaserver it is what
 * `createAgentProvider` makes.
 * @param nodes profiles, for a pool that is closed with the provider; those without a key get LLAMASERVER_API_KEY. Or
 * a pool, which stays open.
 * @throws AirframeError (invalid_request) naming every problem of the profiles; and as `createAgentProvider` does
 */
export function createAgentProviderWithNodeAwareness(
  settings: Settings,
  agentName: string,
  nodes?: readonly NodeProfile[] | NodePool,
  options: LLMProviderOptions = {},
): LLMProvider {
  const hasNodes = nodes instanceof NodePool || (nodes !== undefined && nodes.length > 0);
  const isLocal = providerTypeOf(settings, agentName) === 'llamaserver';
  const { llamaServerUrl } = resolveAgent(settings, agentName);
  if (!hasNodes || !isLocal || llamaServerUrl !== undefined || settings.deploymentMode !== 'distributed') {
    return createAgentProvider(settings, agentName, undefined, options);
  }
  const ownsPool = !(nodes instanceof NodePool);
  const pool = ownsPool ? nodePoolOf(settings, nodes, options) : nodes;
  const shared = { ...llamaServerOptions(settings, agentName), ...options };
  return new NodePoolProvider(pool, { ...shared, agentName, ownsPool });
}

function nodePoolOf(
  { llamaserverApiKey: apiKey }: Settings,
  profiles: readonly NodeProfile[],
  { logger }: LLMProviderOptions,
): NodePool {
  const withKey = profiles.map(profile => ({ ...defined({ apiKey }), ...profile }));
  return new NodePool(withKey, defined({ logger }));
}

function llamaServerOptions(settings: Settings, agentName: string): LlamaServerProviderOptions {
  const temperature = resolveAgent(settings, agentName).temperature ?? settings.defaultTemperature;
  return {
    timeout: settings.llmTimeout * 1_000,
    maxRetries: settings.llmMaxRetries,
    apiType: settings.llamaserverApiType,
    sendTemperature: !settings.disableTemperature,
    defaults: defined({ temperature }),
  };
}

/** As much as nodes need to know of how the factory would make a provider. */
interface Plan {
  type: string;
  options?: object;
}

/** Agents are few; a stream of made-up names must not fill the memory. */
const MAX_PROVIDERS = 1_000;

/**
 * For the factory's option `nodeProvider`: providers over a pool for all plans that are for llama-server. They hold
 * nothing that would have to be closed; the pool is its maker's to close.
 */
export function nodeProviders(
  pool: NodePool,
  options: LLMProviderOptions = {},
): (agentName: string | undefined, plan: Plan) => LLMProvider | undefined {
  const providers = new Map<string, LLMProvider>();
  return (agentName, plan) => {
    if (plan.type !== 'llamaserver') return undefined;
    const key = JSON.stringify([agentName, plan]);
    const known = providers.get(key);
    if (known) return known;
    const { apiKey: _, hostVariable: __, ...own } = (plan.options ?? {}) as LlamaServerProviderOptions;
    const provider = new NodePoolProvider(pool, { ...own, ...options, ...defined({ agentName }) });
    if (providers.size >= MAX_PROVIDERS) providers.clear();
    providers.set(key, provider);
    return provider;
  };
}
