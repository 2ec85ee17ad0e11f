import type { Adapter, AzureOpenAIAdapterOptions } from '@x/airframe';
import type { NodePool } from '../nodes/pool.ts';
import { NodePoolProvider } from '../nodes/pool-provider.ts';
import { AnthropicProvider } from '../providers/anthropic.ts';
import { AzureAIFoundryProvider } from '../providers/azure.ts';
import type { LLMProvider, LLMProviderOptions } from '../providers/base.ts';
import { LlamaServerProvider } from '../providers/llama-server.ts';
import { LlamaCppProvider, type OnLoadProgress } from '../providers/llamacpp.ts';
import { MockProvider } from '../providers/mock.ts';
import { OpenAIProvider } from '../providers/openai.ts';
import { defined } from '../providers/options.ts';
import type { ProviderPlan } from './plan.ts';

/** What a provider needs that no setting can give. */
export interface ProviderBuildOptions extends LLMProviderOptions {
  /** Microsoft Entra ID tokens for the provider azure when AZURE_API_KEY is not set. */
  azureTokenProvider?: NonNullable<AzureOpenAIAdapterOptions['getToken']>;
  /** Told how much of a model is loaded that runs in this process: the provider llamacpp. */
  onLoadProgress?: OnLoadProgress;
}

/**
 * @param nativeAdapter for the provider llamacpp; absent: one of its own
 * @throws AirframeError (code `configuration`) when a key or an address is missing
 */
export function build(
  plan: ProviderPlan,
  options: ProviderBuildOptions,
  nativeAdapter?: Adapter,
): LLMProvider {
  const { logger, costCalculator, azureTokenProvider, onLoadProgress } = options;
  const shared = defined({ logger, costCalculator });
  switch (plan.type) {
    case 'mock':
      return new MockProvider(shared);
    case 'llamaserver':
      return new LlamaServerProvider(plan.baseUrl, { ...plan.options, ...shared });
    case 'llamacpp':
      return new LlamaCppProvider(plan.modelPath, {
        ...plan.options,
        ...shared,
        ...defined({ adapter: nativeAdapter, onLoadProgress }),
      });
    case 'openai':
      return new OpenAIProvider({ ...plan.options, ...shared });
    case 'anthropic':
      return new AnthropicProvider({ ...plan.options, ...shared });
    case 'azure': {
      const tokenProvider = plan.options.apiKey ? undefined : azureTokenProvider;
      return new AzureAIFoundryProvider({ ...plan.options, ...shared, ...defined({ tokenProvider }) });
    }
  }
}

/** What a plan for llama-server becomes over the nodes of a pool. Addresses and keys are the nodes' own. */
export function buildOnNodes(
  { options: { apiKey: _, hostVariable: __, ...own } }: ProviderPlan & { type: 'llamaserver' },
  pool: NodePool,
  { logger, costCalculator }: LLMProviderOptions,
  more: { agentName?: string | undefined; ownsPool?: boolean } = {},
): NodePoolProvider {
  return new NodePoolProvider(pool, { ...own, ...defined({ logger, costCalculator, ...more }) });
}
