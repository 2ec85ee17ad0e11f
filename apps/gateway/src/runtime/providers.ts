import { createHash } from 'node:crypto';
import {
  AnthropicProvider,
  AzureAIFoundryProvider,
  type CostCalculator,
  createLLMProvider,
  type LLMProvider,
  LlamaServerProvider,
  type Logger,
  MockProvider,
  NodePool,
  NodePoolProvider,
  type NodeProfile,
  type OnLoadProgress,
  OpenAIProvider,
  readSettings,
  type Store,
} from '@x/avionics';
import type { Config, NodesConfig, ProviderConfig } from '../config/schema.ts';
import { defined } from '../defined.ts';
import { type NodeSource, nodeSource } from './node-sources.ts';

/** What providers need beside their configuration. */
export interface ProviderTools {
  logger: Logger;
  costCalculator: CostCalculator;
  /** Shared by replicas; undefined: this process is alone. */
  store: Store | undefined;
  /** Folder that relative paths start from. */
  baseDir: string;
  env: NodeJS.ProcessEnv;
  onLoadProgress?: OnLoadProgress | undefined;
}

/** A provider with what belongs to it. */
export interface MadeProvider {
  provider: LLMProvider;
  type: ProviderConfig['type'];
  /** Of one with nodes. */
  pool?: NodePool;
  close(): Promise<void>;
}

type Of<Type extends ProviderConfig['type']> = Extract<ProviderConfig, { type: Type }>;

/**
 * What two configurations have in common only when one provider serves both. Lists of nodes may differ: a pool takes
 * others without forgetting those that stay. Prices may not: a provider knows its own. Holds no secret.
 */
export function fingerprint(name: string, config: ProviderConfig, prices: Config['prices']): string {
  const nodes = listedNodes(config) ? 'a list' : undefined;
  const text = JSON.stringify([name, { ...config, ...(nodes && { nodes }) }, prices]);
  return createHash('sha256').update(text).digest('base64url');
}

/** Takes the nodes over that this configuration lists. @throws AirframeError naming what is wrong with them */
export function updateNodes({ pool }: MadeProvider, config: ProviderConfig): void {
  const listed = listedNodes(config);
  if (pool && listed && config.type === 'llamaserver') pool.update(keyed(listed, config.apiKey));
}

function listedNodes(config: ProviderConfig): NodeProfile[] | undefined {
  return config.type === 'llamaserver' && Array.isArray(config.nodes) ? config.nodes : undefined;
}

function keyed(profiles: readonly NodeProfile[], apiKey: string | undefined): NodeProfile[] {
  return profiles.map(profile => ({ ...defined({ apiKey }), ...profile }));
}

/** @throws AirframeError or SettingsError naming what is wrong with the configuration */
export async function makeProvider(config: ProviderConfig, tools: ProviderTools): Promise<MadeProvider> {
  if (config.type === 'llamaserver' && config.nodes) return onNodes(config, config.nodes, tools);
  const provider = single(config, tools);
  return { provider, type: config.type, close: () => provider.close() };
}

function single(config: ProviderConfig, tools: ProviderTools): LLMProvider {
  const { logger, costCalculator } = tools;
  const shared = { logger, costCalculator };
  switch (config.type) {
    case 'mock':
      return new MockProvider(shared);
    case 'llamacpp':
      return inProcess(config, tools);
    case 'llamaserver':
      return new LlamaServerProvider(config.baseUrl ?? '', {
        ...shared,
        ...llamaOptions(config),
        ...defined({ apiKey: config.apiKey }),
      });
    // '' keeps the provider from looking into the environment: the file says all.
    case 'openai':
      return new OpenAIProvider({
        ...shared,
        ...cloudOptions(config),
        apiKey: config.apiKey ?? '',
        organization: config.organization ?? '',
        project: config.project ?? '',
        baseUrl: config.baseUrl ?? 'https://api.openai.com/v1',
        api: config.api ?? 'chat',
        model: config.model ?? '',
      });
    case 'anthropic':
      return new AnthropicProvider({
        ...shared,
        ...cloudOptions(config),
        apiKey: config.apiKey ?? '',
        baseUrl: config.baseUrl ?? 'https://api.anthropic.com',
        model: config.model ?? '',
      });
    case 'azure':
      return new AzureAIFoundryProvider({
        ...shared,
        ...cloudOptions(config),
        apiKey: config.apiKey ?? '',
        endpoint: config.endpoint,
        deploymentName: config.deployment ?? '',
        ...defined({ apiVersion: config.apiVersion }),
      });
  }
}

function cloudOptions({
  timeout,
  maxRetries,
}: {
  timeout?: number | undefined;
  maxRetries?: number | undefined;
}) {
  return defined({ timeout: timeout === undefined ? undefined : timeout * 1_000, maxRetries });
}

function llamaOptions(config: Of<'llamaserver'>) {
  const { api = 'openai', model } = config;
  return { ...cloudOptions(config), ...defined({ model }), apiType: api, ownDefaults: false };
}

function inProcess(
  config: Of<'llamacpp'>,
  { logger, costCalculator, onLoadProgress }: ProviderTools,
): LLMProvider {
  const variables = {
    LLM_PROVIDER: 'llamacpp',
    LLAMACPP_MODEL_PATH: config.modelPath,
    LLAMACPP_N_CTX: config.contextTokens,
    LLAMACPP_N_GPU_LAYERS: config.gpuLayers,
    LLAMACPP_N_THREADS: config.threads,
    LLAMACPP_IDLE_UNLOAD: config.idleUnload,
    LLAMACPP_ISOLATION: config.isolation,
    LLM_TIMEOUT: config.timeout,
    LLM_MAX_RETRIES: config.maxRetries,
  };
  const set = Object.entries(variables).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  const settings = readSettings(Object.fromEntries(set));
  return createLLMProvider('llamacpp', settings, undefined, {
    logger,
    costCalculator,
    ...defined({ onLoadProgress }),
  });
}

/** A source that cannot be read is closed: nothing else knows of it. */
async function firstProfiles(source: NodeSource): Promise<NodeProfile[]> {
  try {
    return await source.profiles();
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function onNodes(
  config: Of<'llamaserver'>,
  nodes: NodesConfig,
  tools: ProviderTools,
): Promise<MadeProvider> {
  const { logger, costCalculator, store, baseDir, env } = tools;
  const { strategy, maxQueue, maxWait, apiKey } = config;
  const source = nodeSource(nodes, { baseDir, env, logger, ...defined({ apiKey }) });
  const pool = new NodePool(await firstProfiles(source), {
    logger,
    // Pods come and go; a list that is written down and empty is a mistake.
    mayBeEmpty: 'kubernetes' in nodes,
    ...defined({
      strategy,
      maxQueue,
      maxWaitMs: maxWait === undefined ? undefined : maxWait * 1_000,
      store,
    }),
  });
  const watching = new AbortController();
  source.watch(profiles => {
    try {
      pool.update(profiles);
    } catch (error) {
      logger.warn('the nodes stay as they were', { error: String(error) });
    }
  }, watching.signal);
  const provider = new NodePoolProvider(pool, { logger, costCalculator, ...llamaOptions(config) });
  const close = async () => {
    watching.abort();
    await Promise.all([source.close(), pool.close()]);
  };
  return { provider, type: config.type, pool, close };
}
