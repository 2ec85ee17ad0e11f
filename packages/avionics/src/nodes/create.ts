import { build, buildOnNodes, type ProviderBuildOptions } from '../factory/build.ts';
import { isForNodes, planOf } from '../factory/plan.ts';
import type { LLMProvider } from '../providers/base.ts';
import { defined } from '../providers/options.ts';
import { providerTypeOf } from '../settings/choice.ts';
import type { Settings } from '../settings/settings.ts';
import { NodePool } from './pool.ts';
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
  options: ProviderBuildOptions = {},
): LLMProvider {
  const plan = planOf(providerTypeOf(settings, agentName), settings, agentName);
  const pool = nodes instanceof NodePool ? nodes : undefined;
  const profiles = pool ? [] : ((nodes as readonly NodeProfile[] | undefined) ?? []);
  if ((!pool && profiles.length === 0) || !isForNodes(settings, plan)) return build(plan, options);
  const { llamaserverApiKey: apiKey } = settings;
  const withKey = profiles.map(profile => ({ ...defined({ apiKey }), ...profile }));
  const used = pool ?? new NodePool(withKey, defined({ logger: options.logger }));
  return buildOnNodes(plan, used, options, { agentName, ownsPool: !pool });
}
