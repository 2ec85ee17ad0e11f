export type { ClusterAccess } from './api.ts';
export type { EndpointSliceOptions } from './endpoint-slices.ts';
export { KubernetesRegistry, type KubernetesRegistryOptions } from './kubernetes-registry.ts';
