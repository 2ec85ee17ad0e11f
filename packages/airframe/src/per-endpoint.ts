import type { EndpointSpec } from './endpoint.ts';

/** Every field of an endpoint. */
const FIELDS: readonly (keyof EndpointSpec)[] = [
  'name',
  'backendKind',
  'baseUrl',
  'model',
  'apiKey',
  'headers',
  'timeouts',
  'capacity',
  'options',
];

interface Made<T> {
  of: EndpointSpec;
  value: T;
}

/**
 * What is made of an endpoint, made once: an endpoint serves thousands of calls. Made again when one of its fields has
 * become another; objects in them are taken for unchanged as long as they are the same.
 */
export function perEndpoint<T>(make: (endpoint: EndpointSpec) => T): (endpoint: EndpointSpec) => T {
  const known = new WeakMap<EndpointSpec, Made<T>>();
  return endpoint => {
    const made = known.get(endpoint);
    if (made && isSame(made.of, endpoint)) return made.value;
    const value = make(endpoint);
    known.set(endpoint, { of: { ...endpoint }, value });
    return value;
  };
}

function isSame(a: EndpointSpec, b: EndpointSpec): boolean {
  for (const field of FIELDS) if (a[field] !== b[field]) return false;
  return true;
}
