import { type Adapter, type AdapterDefinition, defineAdapter, type InferenceCall } from '../../adapter.ts';
import type { Reply } from '../../assemble/reply.ts';
import { AirframeError } from '../../errors.ts';
import { type ExchangeOptions, exchange, exchangeJson } from '../../transport/exchange.ts';
import { createHttp, type HttpFn } from '../../transport/http.ts';
import { isLoading, untilLoaded } from './loading.ts';
import { countTokens, embed, health, listModels } from './operations.ts';
import { apiTypeOf, authHeaders } from './options.ts';
import { inferenceCall, routeOf, templateCall } from './request.ts';
import { createReader, readError } from './stream.ts';
import type { LlamaServerExtra } from './wire.ts';

export type { ApiType } from './request.ts';
export type { LlamaServerExtra } from './wire.ts';

/** What {@link llamaServerAdapter} takes. */
export interface LlamaServerAdapterOptions {
  /** How requests travel. Default: undici, with a pool of its own. */
  http?: HttpFn;
}

/**
 * llama.cpp's `llama-server`. `endpoint.options.apiType` is `native` (default) or `openai`; `extra` takes the
 * server's own parameters. While the server loads its model the call waits, within `timeouts.headersMs`.
 */
export function llamaServerAdapter(options: LlamaServerAdapterOptions = {}): Adapter<LlamaServerExtra> {
  return defineAdapter(llamaServerDefinition(options));
}

/** The same without the stream contract around it, for an adapter that wraps it. */
export function llamaServerDefinition(
  options: LlamaServerAdapterOptions = {},
): Required<AdapterDefinition<LlamaServerExtra>> {
  const http = options.http ?? createHttp();
  const ownHttp = options.http ? undefined : http;
  return {
    kind: 'llama_server',
    capabilities: {
      streaming: true,
      rawPrompt: true,
      tools: true,
      images: true,
      reasoning: true,
      jsonSchema: true,
      seed: true,
    },
    infer: (call, reply) => infer(http, call, reply),
    health: (endpoint, deadlines) => health(http, endpoint, deadlines),
    embed: call => embed(http, call),
    countTokens: call => countTokens(http, call),
    listModels: (endpoint, deadlines) => listModels(http, endpoint, deadlines),
    close: async () => ownHttp?.close?.(),
  };
}

async function infer(
  http: HttpFn,
  { endpoint, request, deadlines }: InferenceCall<LlamaServerExtra>,
  reply: Reply,
): Promise<AsyncIterable<void>> {
  const exchangeOptions: ExchangeOptions = { http, endpoint, deadlines, readError };
  const headers = authHeaders(endpoint);
  const route = routeOf(request, apiTypeOf(endpoint));
  const model = request.model ?? endpoint.model;
  for (;;) {
    try {
      let prompt = request.prompt;
      if (route === 'completion' && prompt === undefined) {
        prompt = await exchangeJson(exchangeOptions, templateCall(request, model, headers), promptOf);
      }
      const call = inferenceCall(request, route, prompt, model, headers);
      return await exchange(exchangeOptions, call, createReader(route, reply), reply);
    } catch (error) {
      if (!isLoading(error)) throw error;
      await untilLoaded(deadlines);
    }
  }
}

function promptOf(answer: unknown): string {
  const { prompt } = answer as { prompt?: unknown };
  if (typeof prompt === 'string') return prompt;
  throw new AirframeError('parse', 'llama-server answered /apply-template without a prompt');
}
