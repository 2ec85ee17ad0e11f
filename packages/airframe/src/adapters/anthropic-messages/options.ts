import * as z from 'zod';
import type { EndpointSpec } from '../../endpoint.ts';
import { perEndpoint } from '../../per-endpoint.ts';
import { check } from '../../validate.ts';
import type { CallSettings } from './request.ts';
import { API_VERSION } from './wire.ts';

const endpointOptions = z.strictObject({
  version: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d$/, { error: 'not a date such as 2023-06-01' })
    .default(API_VERSION),
  beta: z.array(z.string().regex(/^[\w.-]+$/, { error: 'not the name of a beta' })).default([]),
  auth: z.enum(['x-api-key', 'bearer']).default('x-api-key'),
  defaultMaxTokens: z.int().positive().default(4096),
});

/** @throws AirframeError (invalid_request, code `configuration`) naming the option and its value */
export const settingsOf: (endpoint: EndpointSpec) => CallSettings = perEndpoint(endpoint => {
  const what = `options of endpoint ${endpoint.name}`;
  const { version, beta, auth, defaultMaxTokens } = check(endpointOptions, endpoint.options ?? {}, what, {
    code: 'configuration',
  });
  return {
    model: endpoint.model,
    defaultMaxTokens,
    headers: {
      'anthropic-version': version,
      ...(beta.length > 0 ? { 'anthropic-beta': beta.join(',') } : {}),
      ...authHeaders(auth, endpoint.apiKey),
    },
  };
});

function authHeaders(auth: 'x-api-key' | 'bearer', key: string | undefined): Record<string, string> {
  if (key === undefined) return {};
  return auth === 'bearer' ? { authorization: `Bearer ${key}` } : { 'x-api-key': key };
}
