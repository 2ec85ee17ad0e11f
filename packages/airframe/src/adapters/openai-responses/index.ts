import * as z from 'zod';
import { type Adapter, defineAdapter, type InferenceCall } from '../../adapter.ts';
import type { Reply } from '../../assemble/reply.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import { AirframeError, isAirframeError } from '../../errors.ts';
import { type ExchangeOptions, exchange, exchangeJson } from '../../transport/exchange.ts';
import { createHttp, type HttpFn } from '../../transport/http.ts';
import { readRateLimits } from '../../transport/openai-rate-limits.ts';
import { check } from '../../validate.ts';
import { readError, refusedParameter } from './errors.ts';
import { type OpenAIResponsesRequest, responsesCall } from './request.ts';
import { createReader } from './stream.ts';
import type { OpenAIResponsesExtra } from './wire.ts';

export type { OpenAIResponsesRequest } from './request.ts';
export type { OpenAIResponsesExtra } from './wire.ts';

export interface OpenAIResponsesAdapterOptions {
  /** How requests travel. Default: undici, with a pool of its own. */
  http?: HttpFn;
}

/** `endpoint.options` of this adapter. */
export interface OpenAIResponsesEndpointOptions {
  /** Which organization and project the call is billed to. */
  organization?: string;
  project?: string;
}

const endpointOptions: z.ZodType<OpenAIResponsesEndpointOptions> = z.strictObject({
  organization: z.string().min(1).exactOptional(),
  project: z.string().min(1).exactOptional(),
});

/**
 * OpenAI's Responses API, and servers that speak it. `endpoint.baseUrl` is the root of the API, e.g.
 * `https://api.openai.com/v1`; for `endpoint.options` see {@link OpenAIResponsesEndpointOptions}; `extra` takes the
 * API's own parameters.
 *
 * Stateless: `store: false` is sent unless `extra.store` says otherwise, and the thinking goes back and forth encrypted,
 * as signatures of the message's `reasoning`. Its text shows only with `extra.reasoning.summary`. `seed` is not sent;
 * `stop` and a raw prompt are errors of code `unsupported`.
 *
 * When a model refuses `temperature`, `top_p` or encrypted thinking, the call is sent again without it: once each,
 * before any output, inside the same attempt.
 */
export function openAIResponsesAdapter(
  options: OpenAIResponsesAdapterOptions = {},
): Adapter<OpenAIResponsesExtra> {
  const http = options.http ?? createHttp();
  const ownHttp = options.http ? undefined : http;
  return defineAdapter<OpenAIResponsesExtra>({
    kind: 'openai_responses',
    capabilities: {
      streaming: true,
      rawPrompt: false,
      tools: true,
      images: true,
      reasoning: true,
      jsonSchema: true,
      seed: false,
    },
    infer: (call, reply) => infer(http, call, reply),
    health: (endpoint, deadlines) => health({ http, endpoint, deadlines, readError }),
    close: async () => ownHttp?.close?.(),
  });
}

async function* infer(
  http: HttpFn,
  { endpoint, request, deadlines }: InferenceCall<OpenAIResponsesExtra>,
  reply: Reply,
): AsyncGenerator<void, void, undefined> {
  const call = responsesCall(request, endpoint.model, headersOf(endpoint));
  let refused: string | undefined;
  const exchangeOptions: ExchangeOptions = {
    readLimits: readRateLimits,
    http,
    endpoint,
    deadlines,
    readError: (status, body) => {
      refused = refusedParameter(status, body);
      return readError(status, body);
    },
  };
  for (;;) {
    try {
      yield* exchange(exchangeOptions, call, createReader(reply), reply);
      return;
    } catch (error) {
      if (refused === undefined || !giveWay(call.body, refused, request)) throw withRemedy(error, endpoint);
      refused = undefined;
    }
  }
}

/** @returns whether the body was changed, so that sending it again makes sense */
function giveWay(
  body: Record<string, unknown>,
  parameter: string,
  { extra = {} }: OpenAIResponsesRequest,
): boolean {
  // What the caller put into `extra` was asked for by that name.
  const theirs = extra[parameter];
  const ours = body[parameter];
  if (parameter === 'include') {
    if (ours === undefined || JSON.stringify(ours) === JSON.stringify(theirs)) return false;
    if (theirs === undefined) delete body['include'];
    else body['include'] = theirs;
    return true;
  }
  if (!['temperature', 'top_p'].includes(parameter) || ours === undefined || theirs !== undefined)
    return false;
  delete body[parameter];
  return true;
}

/** Costs nothing and needs a valid key. Servers without a list of models leave it open. */
async function health(options: ExchangeOptions): Promise<'healthy' | 'unknown'> {
  try {
    await exchangeJson(options, { method: 'GET', path: '/models', headers: headersOf(options.endpoint) });
    return 'healthy';
  } catch (error) {
    if (isAirframeError(error) && error.category === 'not_found') return 'unknown';
    throw error;
  }
}

/** A 404 that does not come from the API itself: most often its root is missing from the address. */
function withRemedy(error: unknown, { baseUrl }: EndpointSpec): unknown {
  const isRoot = new URL(baseUrl).pathname === '/';
  if (!isRoot || !(error instanceof AirframeError) || error.status !== 404 || error.code) return error;
  return error.with({ remedy: 'baseUrl has to be the root of the API, which mostly ends in /v1' });
}

function headersOf(endpoint: EndpointSpec): Record<string, string> {
  const what = `options of endpoint ${endpoint.name}`;
  const { organization, project } = check(endpointOptions, endpoint.options ?? {}, what, {
    code: 'configuration',
  });
  return {
    ...(endpoint.apiKey === undefined ? {} : { authorization: `Bearer ${endpoint.apiKey}` }),
    ...(organization === undefined ? {} : { 'openai-organization': organization }),
    ...(project === undefined ? {} : { 'openai-project': project }),
  };
}
