import type { EndpointSpec } from '../../endpoint.ts';
import { AirframeError } from '../../errors.ts';
import { checkEndpoints } from '../check-endpoints.ts';
import { EndpointSet } from '../endpoint-set.ts';
import { type ClusterAccess, KubernetesApi } from './api.ts';
import { configMapSource } from './config-map.ts';
import { type EndpointSliceOptions, endpointSliceSource } from './endpoint-slices.ts';
import { ListWatch } from './list-watch.ts';
import { type Source, SourceState } from './source.ts';
import type { KubernetesObject } from './wire.ts';

/** What {@link KubernetesRegistry.open} takes. */
export interface KubernetesRegistryOptions {
  /** Of `@kubernetes/client-node`. Default: what kubectl would use, or the pod's own service account. */
  kubeConfig?: ClusterAccess;
  /** Default: that of the KubeConfig's current context, or `default`. */
  namespace?: string;
  /** Name of a ConfigMap whose values are JSON, an endpoint each or a list of them. Keys are refused there. */
  configMap?: string;
  /** Pods behind Services. */
  endpointSlices?: EndpointSliceOptions;
  /** The key of an endpoint, from the environment or a mounted Secret; asked whenever its object changes. */
  apiKeyFor?: (endpoint: EndpointSpec) => string | undefined;
  /**
   * Told of what goes wrong once the registry is open: bad data, of which the last good stays in use, or an API that
   * refuses or cannot be reached, which is tried again. What it throws is an uncaught exception, as in any event handler.
   */
  onProblem: (problem: AirframeError) => void;
}

/**
 * The endpoints that a Kubernetes cluster names, as it names them now. Only reads: it needs the verbs `list` and
 * `watch` on `configmaps` or `endpointslices`. Holds the process until it is closed.
 */
export class KubernetesRegistry extends EndpointSet {
  readonly #stop = new AbortController();
  readonly #options: KubernetesRegistryOptions;
  readonly #states: SourceState<KubernetesObject>[];
  readonly #listWatches: ListWatch<KubernetesObject>[];
  #running: Promise<unknown> | undefined;

  private constructor(options: KubernetesRegistryOptions, access: ClusterAccess) {
    super();
    this.#options = options;
    const report = (problem: AirframeError) => this.#report(problem);
    const api = new KubernetesApi(access);
    const { signal } = this.#stop;
    this.#states = sourcesOf(options, access).map(
      source => new SourceState(source, { apiKeyFor: options.apiKeyFor, report }),
    );
    this.#listWatches = this.#states.map(
      state => new ListWatch(api, state, { onUpdate: () => this.#update(), report, signal }),
    );
  }

  /**
   * Resolves when everything has been read once, and follows it from then on.
   *
   * @throws AirframeError: `auth` with the missing permission, `not_found`, `connection`, or `invalid_request` for data
   *   that is bad from the start, for options that name nothing to read, or where the client library is not installed
   */
  static async open(options: KubernetesRegistryOptions): Promise<KubernetesRegistry> {
    const registry = new KubernetesRegistry(options, options.kubeConfig ?? (await defaultAccess()));
    for (const listWatch of registry.#listWatches) await listWatch.list();
    registry.#running = Promise.all(registry.#listWatches.map(listWatch => listWatch.run()));
    return registry;
  }

  /** Ends all connections and waiting; resolves when nothing is left of them. */
  override async close(): Promise<void> {
    await super.close();
    this.#stop.abort();
    await this.#running;
  }

  #update(): void {
    const { endpoints, problems } = checkEndpoints(this.#states.flatMap(state => state.endpoints()));
    for (const problem of problems) this.#report(new AirframeError('invalid_request', problem));
    this.publish(endpoints);
  }

  #report(problem: AirframeError): void {
    // Whoever opens it hears of it at once.
    if (!this.#running) throw problem;
    queueMicrotask(() => this.#options.onProblem(problem));
  }
}

function sourcesOf(options: KubernetesRegistryOptions, access: ClusterAccess): Source<KubernetesObject>[] {
  const { configMap, endpointSlices } = options;
  const context = access.getContextObject(access.getCurrentContext());
  const namespace = options.namespace ?? context?.namespace ?? 'default';
  const sources = [
    ...(configMap ? [configMapSource(namespace, configMap)] : []),
    ...(endpointSlices ? [endpointSliceSource(namespace, endpointSlices)] : []),
  ];
  if (sources.length > 0) return sources as Source<KubernetesObject>[];
  throw new AirframeError('invalid_request', 'a KubernetesRegistry with nothing to read', {
    remedy: 'give configMap or endpointSlices',
  });
}

async function defaultAccess(): Promise<ClusterAccess> {
  const { KubeConfig } = await import('@kubernetes/client-node').catch(cause => {
    const problem = `@kubernetes/client-node cannot be loaded: ${AirframeError.from(cause).message}`;
    throw new AirframeError('invalid_request', problem, {
      remedy: 'install it: npm install @kubernetes/client-node (its 2.x does not run on Node 20, 1.x does)',
      cause,
    });
  });
  const kubeConfig = new KubeConfig();
  try {
    kubeConfig.loadFromDefault();
  } catch (error) {
    // What a YAML parser says quotes the file, tokens and all.
    const { code, message } = error as NodeJS.ErrnoException;
    throw new AirframeError(
      'invalid_request',
      `the default kubeconfig ${code ? `cannot be read: ${message}` : 'is malformed'}`,
      { remedy: 'check KUBECONFIG or ~/.kube/config, or give kubeConfig' },
    );
  }
  return kubeConfig;
}
