import * as z from 'zod';
import type { EndpointSpec } from '../../endpoint.ts';
import { perEndpoint } from '../../per-endpoint.ts';
import { check } from '../../validate.ts';

export const FAMILY_NAMES = ['v1', 'deployments', 'models'] as const;

/** Azure's three forms of address; see families.ts. */
export type Family = (typeof FAMILY_NAMES)[number];

/** `endpoint.options` of this adapter. */
export interface AzureOpenAIEndpointOptions {
  /**
   * How the address is built. Default `auto`: by the path or host of `baseUrl`; where these do not tell,
   * `deployments` when `deployment` or a dated `apiVersion` is given, else `v1`.
   */
  family?: Family | 'auto';
  /** Name of the deployment, case-sensitive; comes before the request's `model`. */
  deployment?: string;
  /**
   * `YYYY-MM-DD`, with or without `-preview`; v1 also takes `preview`. Default: 2024-02-01 for `deployments`,
   * 2024-05-01-preview for `models`, none for `v1`.
   */
  apiVersion?: string;
  /** What the Entra token is for. Default `https://ai.azure.com/.default`. */
  scope?: string;
  /** Reasoning deployments refuse `max_tokens`; saying so here saves the second try. Default `max_tokens`. */
  maxTokensField?: 'max_tokens' | 'max_completion_tokens';
  /** Ask for usage at the end of a stream. Default: where the api-version allows it. */
  includeUsage?: boolean;
  /** Send `parallelToolCalls` of the request. Default: where the api-version allows it. */
  parallelToolCalls?: boolean;
}

const schema: z.ZodType<AzureOpenAIEndpointOptions> = z.strictObject({
  family: z.enum(['auto', ...FAMILY_NAMES]).exactOptional(),
  deployment: z.string().min(1).exactOptional(),
  apiVersion: z
    .string()
    .regex(/^(\d{4}-\d{2}-\d{2}(-preview)?|v1|preview|latest)$/, {
      error: 'not an api-version, such as 2024-10-21 or 2025-04-01-preview',
    })
    .exactOptional(),
  scope: z.string().min(1).exactOptional(),
  maxTokensField: z.enum(['max_tokens', 'max_completion_tokens']).exactOptional(),
  includeUsage: z.boolean().exactOptional(),
  parallelToolCalls: z.boolean().exactOptional(),
});

/** @throws AirframeError (invalid_request, code `configuration`) naming the option and its value */
export const optionsOf: (endpoint: EndpointSpec) => AzureOpenAIEndpointOptions = perEndpoint(endpoint => {
  const what = `options of endpoint ${endpoint.name}`;
  return check(schema, endpoint.options ?? {}, what, { code: 'configuration' });
});
