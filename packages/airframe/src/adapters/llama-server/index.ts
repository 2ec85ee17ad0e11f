import * as z from 'zod';
import { type Adapter, defineAdapter, type InferenceCall } from '../../adapter.ts';
import type { Reply } from '../../assemble/reply.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import { AirframeError } from '../../errors.ts';
import type { Deadlines } from '../../transport/deadline.ts';
import { type ExchangeOptions, exchange, exchangeJson } from '../../transport/exchange.ts';
import { createHttp, type HttpFn } from '../../transport/http.ts';
import { sleep } from '../../transport/sleep.ts';
import { check } from '../../validate.ts';
import { type ApiType, inferenceCall, routeOf, templateCall } from './request.ts';
import { createReader, isLoading, readError } from './stream.ts';
import type { LlamaServerExtra } from './wire.ts';

export type { ApiType } from './request.ts';
export type { LlamaServerExtra } from './wire.ts';

export interface LlamaServerAdapterOptions {
  /** How requests travel. Default: undici, with a pool of its own. */
  http?: HttpFn;
}

const endpointOptions = z.strictObject({ apiType: z.enum(['native', 'openai']).default('native') });

/** Between two looks at a server that loads its model, in milliseconds. */
const LOADING_POLL_MS = 250;

/**
 * llama.cpp's `llama-server`. `endpoint.options.apiType` is `native` (default) or `openai`; `extra` takes the
 * server's own parameters. While the server loads its model the call waits, within `timeouts.headersMs`.
 */
export function llamaServerAdapter(options: LlamaServerAdapterOptions = {}): Adapter<LlamaServerExtra> {
  const http = options.http ?? createHttp();
  const ownHttp = options.http ? undefined : http;
  return defineAdapter<LlamaServerExtra>({
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
    health: (endpoint, deadlines) => health({ http, endpoint, deadlines, readError }),
    close: async () => ownHttp?.close?.(),
  });
}

async function* infer(
  http: HttpFn,
  { endpoint, request, deadlines }: InferenceCall<LlamaServerExtra>,
  reply: Reply,
): AsyncGenerator<void, void, undefined> {
  const exchangeOptions: ExchangeOptions = { http, endpoint, deadlines, readError };
  const headers = authHeaders(endpoint);
  const route = routeOf(request, apiTypeOf(endpoint));
  const model = request.model ?? endpoint.model;
  for (;;) {
    try {
      let prompt = request.prompt;
      if (route === 'completion' && prompt === undefined) {
        const answer = await exchangeJson(exchangeOptions, templateCall(request, model, headers));
        prompt = promptOf(answer);
      }
      const call = inferenceCall(request, route, prompt, model, headers);
      yield* exchange(exchangeOptions, call, createReader(route, reply), reply);
      return;
    } catch (error) {
      if (!(error instanceof AirframeError) || !isLoading(error)) throw error;
      await untilLoaded(deadlines);
    }
  }
}

/** One pause before the next try; a load is not a failure and counts as no attempt. */
async function untilLoaded(deadlines: Deadlines): Promise<void> {
  deadlines.enter('headers');
  await sleep(LOADING_POLL_MS, deadlines.signal);
  deadlines.signal.throwIfAborted();
}

/** `/health` needs no key, so it alone proves nothing about ours; `/v1/models` does. */
async function health(options: ExchangeOptions): Promise<'healthy' | 'loading'> {
  try {
    await exchangeJson(options, {
      method: 'GET',
      path: '/v1/models',
      headers: authHeaders(options.endpoint),
    });
    return 'healthy';
  } catch (error) {
    if (error instanceof AirframeError && isLoading(error)) return 'loading';
    throw error;
  }
}

function authHeaders({ apiKey }: EndpointSpec): Record<string, string> {
  return apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
}

function apiTypeOf(endpoint: EndpointSpec): ApiType {
  const what = `options of endpoint ${endpoint.name}`;
  return check(endpointOptions, endpoint.options ?? {}, what, { code: 'configuration' }).apiType;
}

function promptOf(answer: unknown): string {
  const { prompt } = answer as { prompt?: unknown };
  if (typeof prompt === 'string') return prompt;
  throw new AirframeError('parse', 'llama-server answered /apply-template without a prompt');
}
