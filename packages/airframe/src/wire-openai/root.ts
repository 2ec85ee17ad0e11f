import type { EndpointSpec } from '../endpoint.ts';
import { AirframeError } from '../errors.ts';

/** Who calls, and who pays for it. */
export interface Account {
  /** Which organization and project the call is billed to. */
  organization?: string;
  project?: string;
}

export function accountHeaders(
  { apiKey }: EndpointSpec,
  { organization, project }: Account,
): Record<string, string> {
  return {
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    ...(organization === undefined ? {} : { 'openai-organization': organization }),
    ...(project === undefined ? {} : { 'openai-project': project }),
  };
}

/** A 404 that does not come from the API itself: most often its root is missing from the address. */
export function withRootRemedy(error: unknown, { baseUrl }: EndpointSpec): unknown {
  const isRoot = new URL(baseUrl).pathname === '/';
  if (!isRoot || !(error instanceof AirframeError) || error.status !== 404 || error.code) return error;
  return error.with({ remedy: 'baseUrl has to be the root of the API, which mostly ends in /v1' });
}
