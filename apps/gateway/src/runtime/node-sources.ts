import { isDeepStrictEqual } from 'node:util';
import type { EndpointSpec } from '@x/airframe';
import { type ClusterAccess, KubernetesRegistry } from '@x/airframe/registry/kubernetes';
import { type Environment, type Logger, loggerOf, type NodeProfile } from '@x/avionics';
import { readIncluded } from '../config/included-nodes.ts';
import { ConfigError } from '../config/problem.ts';
import type { NodesConfig } from '../config/schema.ts';

export interface NodeSourceOptions {
  /** Where a relative path begins. Default: the working folder. */
  baseDir?: string;
  env?: Environment;
  logger?: Logger;
  /** For nodes that have none of their own. */
  apiKey?: string;
  /** Default: what kubectl would use, or the pod's own service account. */
  kubeConfig?: ClusterAccess;
}

/** Where the nodes of a provider come from. */
export interface NodeSource {
  /**
   * The nodes there are now. From Kubernetes it may be none: its pods come and go.
   * @throws ConfigError for a file or a variable, AirframeError for a cluster that cannot be read
   */
  profiles(): Promise<NodeProfile[]>;
  /**
   * Tells of all nodes whenever they are others than before, from the last `profiles()` on, until the signal fires or
   * the source is closed. Only Kubernetes changes by itself: a file is followed with the configuration it belongs to.
   */
  watch(onChange: (profiles: NodeProfile[]) => void, signal: AbortSignal): void;
  close(): Promise<void>;
}

export function nodeSource(nodes: NodesConfig, options: NodeSourceOptions = {}): NodeSource {
  if (Array.isArray(nodes)) return fixed(async () => nodes, options);
  if ('kubernetes' in nodes) return new KubernetesNodes(nodes.kubernetes, options);
  return fixed(async () => {
    const { baseDir = '.', env = process.env } = options;
    const included = await readIncluded(nodes, { baseDir, env });
    if (included?.nodes && included.problems.length === 0) return included.nodes;
    throw new ConfigError(included?.problems ?? [], included?.files);
  }, options);
}

function fixed(list: () => Promise<NodeProfile[]>, { apiKey }: NodeSourceOptions): NodeSource {
  return {
    profiles: async () => (await list()).map(profile => ({ ...(apiKey && { apiKey }), ...profile })),
    watch: () => {},
    close: async () => {},
  };
}

type KubernetesConfig = Extract<NodesConfig, { kubernetes: unknown }>['kubernetes'];

/** Ready pods behind a Service, or what a ConfigMap lists. */
class KubernetesNodes implements NodeSource {
  readonly #config: KubernetesConfig;
  readonly #options: NodeSourceOptions;
  readonly #logger: Logger;
  #opening: Promise<KubernetesRegistry> | undefined;
  #told: NodeProfile[] | undefined;

  constructor(config: KubernetesConfig, options: NodeSourceOptions) {
    this.#config = config;
    this.#options = options;
    this.#logger = loggerOf(options.logger);
  }

  async profiles(): Promise<NodeProfile[]> {
    this.#told = this.#profilesOf((await this.#registry()).list());
    return this.#told;
  }

  watch(onChange: (profiles: NodeProfile[]) => void, signal: AbortSignal): void {
    this.#follow(onChange, signal).catch(error =>
      this.#logger.error(`nodes of Kubernetes cannot be followed: ${(error as Error).message}`),
    );
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    await opening?.then(
      registry => registry.close(),
      () => {},
    );
  }

  async #follow(onChange: (profiles: NodeProfile[]) => void, signal: AbortSignal): Promise<void> {
    const registry = await this.#registry();
    const changes = registry.watch({ signal });
    const tell = (endpoints: readonly EndpointSpec[]) => {
      const profiles = this.#profilesOf(endpoints);
      if (signal.aborted || isDeepStrictEqual(profiles, this.#told)) return;
      this.#told = profiles;
      onChange(profiles);
    };
    // What happened since `profiles()` is in no change.
    tell(registry.list());
    for await (const { endpoints } of changes) tell(endpoints);
  }

  #registry(): Promise<KubernetesRegistry> {
    this.#opening ??= this.#open().catch(error => {
      // A cluster that cannot be reached now may be later.
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  #open(): Promise<KubernetesRegistry> {
    const { namespace, service, port = 'http', configMap } = this.#config;
    const { kubeConfig } = this.#options;
    const endpointSlices = {
      labelSelector: `kubernetes.io/service-name=${service}`,
      // From a variable it comes as a text; a port's name has a letter.
      port: /^\d+$/.test(String(port)) ? Number(port) : port,
      template: { backendKind: 'llama_server' },
    };
    return KubernetesRegistry.open({
      ...(kubeConfig && { kubeConfig }),
      ...(namespace && { namespace }),
      ...(configMap ? { configMap } : { endpointSlices }),
      onProblem: problem => this.#logger.warn(problem.message, { category: problem.category }),
    });
  }

  #profilesOf(endpoints: readonly EndpointSpec[]): NodeProfile[] {
    const { apiKey: shared } = this.#options;
    return endpoints.flatMap(({ name, backendKind, baseUrl, model, apiKey = shared, capacity }) => {
      if (backendKind !== 'llama_server') {
        this.#logger.warn(`endpoint ${name} is no node: its kind is ${backendKind}, not llama_server`);
        return [];
      }
      const slots = capacity?.maxConcurrent;
      return [{ name, baseUrl, ...(model && { model }), ...(apiKey && { apiKey }), ...(slots && { slots }) }];
    });
  }
}
