import type { EndpointSpec } from '../endpoint.ts';
import { AirframeError } from '../errors.ts';
import { checkEndpoints } from './check-endpoints.ts';
import { EndpointSet } from './endpoint-set.ts';

/** A list of endpoints given by the program, checked as a whole. */
export class StaticRegistry extends EndpointSet {
  /** @throws AirframeError (invalid_request) naming each problem: a bad field, a name used twice */
  constructor(endpoints: readonly EndpointSpec[]) {
    super();
    this.replace(endpoints);
  }

  /**
   * Puts another list in the place of the present one, all at once; watchers hear what differs. A list with a problem
   * changes nothing.
   *
   * @throws AirframeError (invalid_request) naming each problem
   */
  replace(endpoints: readonly EndpointSpec[]): void {
    const { endpoints: checked, problems } = checkEndpoints(endpoints);
    if (problems.length > 0) throw new AirframeError('invalid_request', problems.join('; '));
    this.publish(checked);
  }
}
