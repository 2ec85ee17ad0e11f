import { type EndpointSpec, endpointSpecSchema } from '../endpoint.ts';
import { AirframeError } from '../errors.ts';
import { describeIssues } from '../validate.ts';

/** A fixed list of endpoints, checked once. */
export class StaticRegistry {
  readonly #endpoints: ReadonlyMap<string, EndpointSpec>;

  /** @throws AirframeError (invalid_request) naming each problem: a bad field, a name used twice */
  constructor(endpoints: readonly EndpointSpec[]) {
    const byName = new Map<string, EndpointSpec>();
    for (const endpoint of endpoints) {
      const checked = endpointSpecSchema.safeParse(endpoint);
      if (!checked.success) {
        const problems = describeIssues(checked.error.issues, endpoint);
        throw new AirframeError(
          'invalid_request',
          `invalid endpoint ${JSON.stringify(endpoint.name)}: ${problems}`,
        );
      }
      if (byName.has(endpoint.name)) {
        throw new AirframeError(
          'invalid_request',
          `two endpoints are named ${JSON.stringify(endpoint.name)}; names must differ`,
        );
      }
      byName.set(endpoint.name, checked.data);
    }
    this.#endpoints = byName;
  }

  list(): EndpointSpec[] {
    return [...this.#endpoints.values()];
  }

  /** @throws AirframeError (not_found) naming the endpoints there are */
  get(name: string): EndpointSpec {
    const endpoint = this.#endpoints.get(name);
    if (endpoint) return endpoint;
    const known = [...this.#endpoints.keys()].join(', ') || 'none';
    throw new AirframeError('not_found', `no endpoint is named ${JSON.stringify(name)}; known: ${known}`);
  }
}
