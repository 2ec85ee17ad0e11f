import * as z from 'zod';
import { type Adapter, defineAdapter, type InferOptions } from '../../adapter.ts';
import { type EndpointSpec, endpointSpecSchema, resolveTimeouts } from '../../endpoint.ts';
import { AirframeError, isAirframeError } from '../../errors.ts';
import { inferenceRequestSchema } from '../../request.ts';
import { Deadlines } from '../../transport/deadline.ts';
import { type ExchangeOptions, exchange, exchangeJson } from '../../transport/exchange.ts';
import { createHttp, type HttpFn } from '../../transport/http.ts';
import { check } from '../../validate.ts';
import { readError } from './errors.ts';
import { parseRateLimits } from './rate-limits.ts';
import { type AnthropicRequest, type CallSettings, countTokensCall, messagesCall } from './request.ts';
import { createReader } from './stream.ts';
import { type AnthropicExtra, API_VERSION } from './wire.ts';

export type { AnthropicRequest } from './request.ts';
export type { AnthropicExtra } from './wire.ts';

export interface AnthropicMessagesAdapterOptions {
  /** How requests travel. Default: undici, with a pool of its own. */
  http?: HttpFn;
}

const endpointOptions = z.strictObject({
  version: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d$/, { error: 'not a date such as 2023-06-01' })
    .default(API_VERSION),
  beta: z.array(z.string().regex(/^[\w.-]+$/, { error: 'not the name of a beta' })).default([]),
  auth: z.enum(['x-api-key', 'bearer']).default('x-api-key'),
  defaultMaxTokens: z.int().positive().default(4096),
});

/**
 * Anthropic's Messages API, and servers that speak it. `endpoint.baseUrl` is the root, without `/v1`.
 * `endpoint.options`: `version` (of the API, default 2023-06-01), `beta` (names), `auth` (`x-api-key`, default, or
 * `bearer`) and `defaultMaxTokens` (4096), for the API wants a bound. `extra` takes the API's own parameters. `seed`
 * and `promptCache.key` are not sent, the API knows neither; a raw prompt and `responseFormat` of type `json` are
 * errors of code `unsupported`.
 */
export function anthropicMessagesAdapter(
  options: AnthropicMessagesAdapterOptions = {},
): Adapter<AnthropicExtra> {
  const http = options.http ?? createHttp();
  const ownHttp = options.http ? undefined : http;
  return defineAdapter<AnthropicExtra>({
    kind: 'anthropic_messages',
    capabilities: {
      streaming: true,
      rawPrompt: false,
      tools: true,
      images: true,
      reasoning: true,
      jsonSchema: true,
      seed: false,
    },
    infer: ({ endpoint, request, deadlines }, reply) =>
      exchange(
        { http, endpoint, deadlines, readError, readLimits: headers => parseRateLimits(headers) },
        messagesCall(request, settingsOf(endpoint)),
        createReader(reply),
        reply,
      ),
    health: (endpoint, deadlines) => health({ http, endpoint, deadlines, readError }),
    close: async () => ownHttp?.close?.(),
  });
}

export interface CountTokensOptions extends InferOptions {
  /** How the call travels. Default: undici, with a connection of its own. */
  http?: HttpFn;
}

/**
 * Tokens that the prompt of a request has, as Anthropic estimates them: a call to `count_tokens`, which is free of
 * charge and has a rate limit of its own.
 * @throws AirframeError
 */
export async function countAnthropicTokens(
  endpoint: EndpointSpec,
  request: AnthropicRequest,
  options: CountTokensOptions = {},
): Promise<number> {
  check(endpointSpecSchema, endpoint, 'endpoint', { code: 'configuration' });
  check(inferenceRequestSchema, request, 'request');
  const call = countTokensCall(request, settingsOf(endpoint));
  const deadlines = new Deadlines(resolveTimeouts(endpoint.timeouts, options.timeouts), options.signal);
  const http = options.http ?? createHttp();
  try {
    const answer = await exchangeJson({ http, endpoint, deadlines, readError }, call);
    const { input_tokens: tokens } = answer as { input_tokens?: unknown };
    if (typeof tokens === 'number') return tokens;
    throw new AirframeError('parse', `${endpoint.baseUrl} answered count_tokens without input_tokens`);
  } finally {
    deadlines.dispose();
    if (!options.http) await http.close?.();
  }
}

/** Costs nothing and needs a valid key. Servers without a list of models (Azure Foundry) leave it open. */
async function health(options: ExchangeOptions): Promise<'healthy' | 'unknown'> {
  const { headers } = settingsOf(options.endpoint);
  try {
    await exchangeJson(options, { method: 'GET', path: '/v1/models?limit=1', headers });
    return 'healthy';
  } catch (error) {
    if (isAirframeError(error) && error.category === 'not_found') return 'unknown';
    throw error;
  }
}

function settingsOf(endpoint: EndpointSpec): CallSettings {
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
}

function authHeaders(auth: 'x-api-key' | 'bearer', key: string | undefined): Record<string, string> {
  if (key === undefined) return {};
  return auth === 'bearer' ? { authorization: `Bearer ${key}` } : { 'x-api-key': key };
}
