/**
 * The shapes of the Kubernetes API as far as they are read here. Source: the Kubernetes API reference, v1.34, ConfigMap
 * (core/v1), EndpointSlice (discovery.k8s.io/v1), Status; watch events: "API concepts", "Efficient detection of changes".
 */

export interface KubernetesObject {
  metadata?: { name?: string; resourceVersion?: string };
}

export interface ConfigMap extends KubernetesObject {
  data?: Record<string, string>;
}

export interface EndpointSlice extends KubernetesObject {
  endpoints?: SliceEndpoint[] | null;
  ports?: { name?: string; port?: number }[] | null;
}

export interface SliceEndpoint {
  /** All of one backend: "consumers may choose to only use the first element". */
  addresses: string[];
  /** A missing `ready` is to be read as true, a missing `terminating` as false. */
  conditions?: { ready?: boolean | null; terminating?: boolean | null };
  targetRef?: { kind?: string; name?: string };
}

export interface ObjectList<T> {
  metadata?: { resourceVersion?: string };
  items?: T[];
}

export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  /** Carries nothing but the resource version up to which all events have been sent. */
  | { type: 'BOOKMARK'; object: KubernetesObject }
  | { type: 'ERROR'; object: Status };

/** How the API says that something failed: the body of an answer, or the object of an ERROR event. */
export interface Status {
  message?: string;
  code?: number;
}
