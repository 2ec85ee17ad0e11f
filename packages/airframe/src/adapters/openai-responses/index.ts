import { type Adapter, defineAdapter, type InferenceCall } from '../../adapter.ts';
import type { Reply } from '../../assemble/reply.ts';
import { type ExchangeOptions, exchange } from '../../transport/exchange.ts';
import { createHttp, type HttpFn } from '../../transport/http.ts';
import { readError } from '../../wire-openai/errors.ts';
import { readRateLimits } from '../../wire-openai/rate-limits.ts';
import { withRootRemedy } from '../../wire-openai/root.ts';
import { refusedParameter } from './errors.ts';
import { countTokens, embed, health, listModels } from './operations.ts';
import { headersOf } from './options.ts';
import { type OpenAIResponsesRequest, responsesCall } from './request.ts';
import { createReader } from './stream.ts';
import type { OpenAIResponsesExtra } from './wire.ts';

export type { OpenAIResponsesEndpointOptions } from './options.ts';
export type { OpenAIResponsesRequest } from './request.ts';
export type { OpenAIResponsesExtra } from './wire.ts';

/** What {@link openAIResponsesAdapter} takes. */
export interface OpenAIResponsesAdapterOptions {
  /** How requests travel. Default: undici, with a pool of its own. */
  http?: HttpFn;
}

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
    health: (endpoint, deadlines) => health(http, endpoint, deadlines),
    embed: call => embed(http, call),
    countTokens: call => countTokens(http, call),
    listModels: (endpoint, deadlines) => listModels(http, endpoint, deadlines),
    close: async () => ownHttp?.close?.(),
  });
}

async function infer(
  http: HttpFn,
  { endpoint, request, deadlines }: InferenceCall<OpenAIResponsesExtra>,
  reply: Reply,
): Promise<AsyncIterable<void>> {
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
      return await exchange(exchangeOptions, call, createReader(reply), reply);
    } catch (error) {
      if (refused === undefined || !giveWay(call.body, refused, request))
        throw withRootRemedy(error, endpoint);
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
