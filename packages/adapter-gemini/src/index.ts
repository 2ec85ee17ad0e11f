import {
  type Adapter,
  check,
  createHttp,
  type Deadlines,
  defineAdapter,
  type EndpointSpec,
  type ExchangeOptions,
  exchange,
  exchangeJson,
  type HttpFn,
} from '@x/airframe';
import * as z from 'zod';
import { readError } from './errors.ts';
import { countTokens, embed, listModels } from './operations.ts';
import { type CallSettings, generateCall, listModelsCall } from './request.ts';
import { createReader } from './stream.ts';
import type { GeminiExtra } from './wire.ts';

export type { GeminiRequest } from './request.ts';
export type { GeminiExtra } from './wire.ts';

/** The backend kind of Google's Gemini API. */
export const GEMINI_KIND = 'gemini';

/** What {@link geminiAdapter} takes. */
export interface GeminiAdapterOptions {
  /** How requests travel. Default: undici, with a pool of its own. */
  http?: HttpFn;
}

const endpointOptions = z.strictObject({
  version: z
    .string()
    .regex(/^v\d+(alpha|beta)?\d*$/, { error: 'not a version such as v1beta' })
    .default('v1beta'),
});

/**
 * Google's Gemini API. `endpoint.baseUrl` is the root, `https://generativelanguage.googleapis.com`;
 * `endpoint.options.version` is the API's version (default `v1beta`); `endpoint.apiKey` goes in the header
 * `x-goog-api-key`, and whoever has a bearer token instead puts it in `endpoint.headers`. `extra` takes the API's own
 * parameters. `parallelToolCalls` and `promptCache` are not sent, the API knows neither; a raw prompt is an error of
 * code `unsupported`.
 */
export function geminiAdapter(options: GeminiAdapterOptions = {}): Adapter<GeminiExtra> {
  const http = options.http ?? createHttp();
  const ownHttp = options.http ? undefined : http;
  const at = (endpoint: EndpointSpec, deadlines: Deadlines): ExchangeOptions => {
    return { http, endpoint, deadlines, readError };
  };
  return defineAdapter<GeminiExtra>({
    kind: GEMINI_KIND,
    capabilities: {
      streaming: true,
      rawPrompt: false,
      tools: true,
      images: true,
      reasoning: true,
      jsonSchema: true,
      seed: true,
    },
    infer: ({ endpoint, request, deadlines }, reply) =>
      exchange(
        at(endpoint, deadlines),
        generateCall(request, settingsOf(endpoint)),
        createReader(reply),
        reply,
      ),
    embed: ({ endpoint, request, deadlines }) =>
      embed(at(endpoint, deadlines), request, settingsOf(endpoint)),
    countTokens: ({ endpoint, request, deadlines }) =>
      countTokens(at(endpoint, deadlines), request, settingsOf(endpoint)),
    listModels: (endpoint, deadlines) => listModels(at(endpoint, deadlines), settingsOf(endpoint)),
    // Costs nothing and needs a valid key.
    health: (endpoint, deadlines) =>
      exchangeJson(
        at(endpoint, deadlines),
        listModelsCall(settingsOf(endpoint), 1),
        () => 'healthy' as const,
      ),
    close: async () => ownHttp?.close?.(),
  });
}

function settingsOf(endpoint: EndpointSpec): CallSettings {
  const what = `options of endpoint ${endpoint.name}`;
  const { version } = check(endpointOptions, endpoint.options ?? {}, what, { code: 'configuration' });
  return {
    model: endpoint.model,
    version,
    // Never as the query parameter `key`: addresses stand in logs.
    headers: endpoint.apiKey === undefined ? {} : { 'x-goog-api-key': endpoint.apiKey },
  };
}
