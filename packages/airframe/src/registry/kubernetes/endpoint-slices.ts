import { type EndpointSpec, endpointSpecSchema } from '../../endpoint.ts';
import { check } from '../../validate.ts';
import type { Source } from './source.ts';
import type { EndpointSlice, SliceEndpoint } from './wire.ts';

/** Which pods are endpoints, and what the endpoints made of them are like. */
export interface EndpointSliceOptions {
  /** Which slices: `kubernetes.io/service-name=NAME` for those of one Service. */
  labelSelector: string;
  /** The pods' port, by the name the Service gives it or by its number. */
  port: string | number;
  /** Default `http`. */
  scheme?: 'http' | 'https';
  /** What follows the port in `baseUrl`, such as `/v1`. Default: nothing. */
  path?: string;
  /** Everything else of each endpoint. */
  template: Omit<EndpointSpec, 'name' | 'baseUrl'>;
}

/**
 * EndpointSlices: a ready backend of a Service is an endpoint, named `POD:PORT`, or `ADDRESS:PORT` where there is no
 * pod. One that is not ready, or is terminating, is none.
 *
 * @throws AirframeError (invalid_request) for a template that makes no endpoint
 */
export function endpointSliceSource(namespace: string, options: EndpointSliceOptions): Source<EndpointSlice> {
  const { labelSelector, port: wanted, scheme = 'http', path = '', template } = options;
  const endpoint = (name: string, host: string, port: number): EndpointSpec => ({
    ...template,
    name: `${name}:${port}`,
    baseUrl: `${scheme}://${host}:${port}${path}`,
  });
  // A bad template must show before there is a pod.
  check(endpointSpecSchema, endpoint('pod', '127.0.0.1', 1), 'endpointSlices');
  return {
    kind: 'EndpointSlice',
    resource: {
      group: 'discovery.k8s.io',
      plural: 'endpointslices',
      namespace,
      selector: { labelSelector },
    },
    read({ endpoints, ports }) {
      const ready = (endpoints ?? []).filter(isReady);
      const port = ports?.find(({ name, port }) => name === wanted || port === wanted)?.port;
      // The slice of a Service without backends has no ports either.
      if (ready.length === 0) return { endpoints: [], problems: [] };
      if (port === undefined) {
        const known = (ports ?? []).map(({ name, port }) => (name ? `${name} (${port})` : port)).join(', ');
        return { endpoints: [], problems: [`has no port ${wanted}; it has: ${known || 'none'}`] };
      }
      return {
        endpoints: ready.map(({ addresses: [address = ''], targetRef }) => {
          const host = address.includes(':') ? `[${address}]` : address;
          const pod = targetRef?.kind === 'Pod' ? targetRef.name : undefined;
          return endpoint(pod ?? host, host, port);
        }),
        problems: [],
      };
    },
  };
}

function isReady({ conditions }: SliceEndpoint): boolean {
  return conditions?.ready !== false && conditions?.terminating !== true;
}
