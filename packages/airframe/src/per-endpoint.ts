import type { EndpointSpec } from './endpoint.ts';

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

/** In every field, written out: for each call. */
function isSame(a: EndpointSpec, b: EndpointSpec): boolean {
  return (
    a.name === b.name &&
    a.backendKind === b.backendKind &&
    a.baseUrl === b.baseUrl &&
    a.model === b.model &&
    a.apiKey === b.apiKey &&
    a.headers === b.headers &&
    a.timeouts === b.timeouts &&
    a.capacity === b.capacity &&
    a.options === b.options
  );
}
