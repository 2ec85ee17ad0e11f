import type { EndpointSpec } from '../../endpoint.ts';
import { AirframeError } from '../../errors.ts';
import { checkEndpoints } from '../check-endpoints.ts';
import type { KubernetesObject } from './wire.ts';

/** A collection of the Kubernetes API, or the part of it that a selector names. */
export interface Resource {
  /** `''` is the core group. */
  group: '' | 'discovery.k8s.io';
  plural: 'configmaps' | 'endpointslices';
  namespace: string;
  selector: { fieldSelector: string } | { labelSelector: string };
}

/** How the objects of a resource become endpoints. */
export interface Source<T extends KubernetesObject> {
  resource: Resource;
  /** What one object of it is called: `ConfigMap`. */
  kind: string;
  read(object: T): { endpoints: EndpointSpec[]; problems: string[] };
  /** Set when an object has to be there: the error for its absence, which leaves its endpoints in use. */
  missing?: AirframeError;
}

export interface SourceStateOptions {
  apiKeyFor: ((endpoint: EndpointSpec) => string | undefined) | undefined;
  report(problem: AirframeError): void;
}

/** The endpoints each object of a source gave when it was last good. */
export class SourceState<T extends KubernetesObject> {
  readonly source: Source<T>;
  readonly #options: SourceStateOptions;
  #byObject: ReadonlyMap<string, readonly EndpointSpec[]> = new Map();

  constructor(source: Source<T>, options: SourceStateOptions) {
    this.source = source;
    this.#options = options;
  }

  /** These are all the objects there are. */
  listed(objects: readonly T[]): void {
    const { missing } = this.source;
    if (missing && objects.length === 0) this.#options.report(missing);
    else this.#byObject = new Map(objects.map(object => [nameOf(object), this.#read(object)]));
  }

  changed(object: T): void {
    this.#byObject = new Map(this.#byObject).set(nameOf(object), this.#read(object));
  }

  deleted(object: T): void {
    const { missing } = this.source;
    const left = new Map(this.#byObject);
    left.delete(nameOf(object));
    if (missing) this.#options.report(missing);
    else this.#byObject = left;
  }

  /**
   * One for each name. A pod stands in several slices when it has addresses of both families, and for a moment
   * whenever slices are rearranged; which one is taken must not depend on the order they came in.
   */
  endpoints(): EndpointSpec[] {
    const byName = new Map<string, EndpointSpec>();
    for (const endpoint of [...this.#byObject.values()].flat()) {
      const other = byName.get(endpoint.name);
      if (!other || endpoint.baseUrl < other.baseUrl) byName.set(endpoint.name, endpoint);
    }
    return [...byName.values()];
  }

  #read(object: T): readonly EndpointSpec[] {
    const { endpoints, problems } = this.source.read(object);
    const keyed = checkEndpoints(endpoints.map(endpoint => this.#withKey(endpoint, problems)));
    const all = [...problems, ...keyed.problems];
    if (all.length === 0) return keyed.endpoints;
    const { kind, resource } = this.source;
    const what = `${kind} ${resource.namespace}/${nameOf(object)}`;
    this.#options.report(new AirframeError('invalid_request', `${what}: ${all.join('; ')}`));
    return this.#byObject.get(nameOf(object)) ?? [];
  }

  #withKey(endpoint: EndpointSpec, problems: string[]): EndpointSpec {
    try {
      const apiKey = this.#options.apiKeyFor?.(endpoint);
      return apiKey === undefined ? endpoint : { ...endpoint, apiKey };
    } catch (error) {
      problems.push(
        `apiKeyFor failed for ${JSON.stringify(endpoint.name)}: ${AirframeError.from(error).message}`,
      );
      return endpoint;
    }
  }
}

function nameOf({ metadata }: KubernetesObject): string {
  return metadata?.name ?? '';
}
