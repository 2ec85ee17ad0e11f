import { type Adapter, defineAdapter, type InferenceCall } from '../../adapter.ts';
import type { Reply } from '../../assemble/reply.ts';
import type { ExchangeOptions } from '../../transport/exchange.ts';
import { createHttp, type HttpFn } from '../../transport/http.ts';
import { readError } from '../../wire-openai/errors.ts';
import { readRateLimits } from '../../wire-openai/rate-limits.ts';
import { withRootRemedy } from '../../wire-openai/root.ts';
import { embed, health, listModels } from './operations.ts';
import { settingsOf } from './options.ts';
import { inferenceCall } from './request.ts';
import { resending } from './resend.ts';
import type { OpenAIChatExtra } from './wire.ts';

export type { OpenAIChatEndpointOptions } from './options.ts';
export type { OpenAIChatExtra } from './wire.ts';

/** What {@link openAIChatAdapter} takes. */
export interface OpenAIChatAdapterOptions {
  /** How requests travel. Default: undici, with a pool of its own. */
  http?: HttpFn;
}

/**
 * OpenAI's Chat Completions, and the servers that speak it. `endpoint.baseUrl` is the root of the API, e.g.
 * `https://api.openai.com/v1`; for `endpoint.options` see {@link OpenAIChatEndpointOptions}; `extra` takes the
 * server's own parameters.
 *
 * Some models refuse `temperature`, `top_p` or one name of the token limit, and some servers `stream_options`. When
 * the answer is a 400 or 422 that names one of these, the call is sent again without it, or with the limit's other
 * name: once each, before any output, inside the same attempt.
 */
export function openAIChatAdapter(options: OpenAIChatAdapterOptions = {}): Adapter<OpenAIChatExtra> {
  const http = options.http ?? createHttp();
  const ownHttp = options.http ? undefined : http;
  const closing: ClosingServers = new Set();
  return defineAdapter<OpenAIChatExtra>({
    kind: 'openai_chat',
    capabilities: {
      streaming: true,
      rawPrompt: true,
      tools: true,
      images: true,
      reasoning: true,
      jsonSchema: true,
      seed: true,
    },
    infer: (call, reply) => infer(http, closing, call, reply),
    health: (endpoint, deadlines) => health(http, endpoint, deadlines),
    embed: call => embed(http, call),
    listModels: (endpoint, deadlines) => listModels(http, endpoint, deadlines),
    close: async () => ownHttp?.close?.(),
  });
}

/** By `baseUrl`: servers that end a connection after a stream without having said so, which llama-server does. */
type ClosingServers = Set<string>;

async function infer(
  http: HttpFn,
  closing: ClosingServers,
  { endpoint, request, deadlines }: InferenceCall<OpenAIChatExtra>,
  reply: Reply,
): Promise<AsyncIterable<void>> {
  const { profile, headers } = settingsOf(endpoint);
  const { baseUrl } = endpoint;
  const model = request.model ?? endpoint.model;
  const call = inferenceCall(request, profile, model, headers, closing.has(baseUrl));
  const exchangeOptions: ExchangeOptions = {
    http,
    endpoint,
    deadlines,
    readError,
    onHeaders: ({ server }) => {
      if (server === 'llama.cpp') closing.add(baseUrl);
    },
    readLimits: readRateLimits,
  };
  try {
    return await resending(exchangeOptions, call, request.extra ?? {}, reply);
  } catch (error) {
    throw withRootRemedy(error, endpoint);
  }
}
