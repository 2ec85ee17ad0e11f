import * as z from 'zod';
import type { EndpointSpec } from '../../endpoint.ts';
import { perEndpoint } from '../../per-endpoint.ts';
import { check } from '../../validate.ts';
import type { ApiType } from './request.ts';

const endpointOptions = z.strictObject({ apiType: z.enum(['native', 'openai']).default('native') });

/** @throws AirframeError (invalid_request, code `configuration`) naming the option and its value */
export const apiTypeOf: (endpoint: EndpointSpec) => ApiType = perEndpoint(endpoint => {
  const what = `options of endpoint ${endpoint.name}`;
  return check(endpointOptions, endpoint.options ?? {}, what, { code: 'configuration' }).apiType;
});

export function authHeaders({ apiKey }: EndpointSpec): Record<string, string> {
  return apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
}
