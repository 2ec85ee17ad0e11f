import * as z from 'zod';
import type { EndpointSpec } from '../../endpoint.ts';
import { perEndpoint } from '../../per-endpoint.ts';
import { check } from '../../validate.ts';
import { type Account, accountHeaders } from '../../wire-openai/root.ts';

/** `endpoint.options` of this adapter. */
export interface OpenAIResponsesEndpointOptions extends Account {}

const endpointOptions: z.ZodType<OpenAIResponsesEndpointOptions> = z.strictObject({
  organization: z.string().min(1).exactOptional(),
  project: z.string().min(1).exactOptional(),
});

/** @throws AirframeError (invalid_request, code `configuration`) naming the option and its value */
export const headersOf: (endpoint: EndpointSpec) => Record<string, string> = perEndpoint(endpoint => {
  const what = `options of endpoint ${endpoint.name}`;
  const options = check(endpointOptions, endpoint.options ?? {}, what, { code: 'configuration' });
  return accountHeaders(endpoint, options);
});
