import { type Adapter, defineAdapter } from '../../adapter.ts';
import { exchange } from '../../transport/exchange.ts';
import { createHttp, type HttpFn } from '../../transport/http.ts';
import { readError } from './errors.ts';
import { countTokens, health, listModels } from './operations.ts';
import { settingsOf } from './options.ts';
import { parseRateLimits } from './rate-limits.ts';
import { messagesCall } from './request.ts';
import { createReader } from './stream.ts';
import type { AnthropicExtra } from './wire.ts';

export type { AnthropicRequest } from './request.ts';
export type { AnthropicExtra } from './wire.ts';

/** What {@link anthropicMessagesAdapter} takes. */
export interface AnthropicMessagesAdapterOptions {
  /** How requests travel. Default: undici, with a pool of its own. */
  http?: HttpFn;
}

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
    health: (endpoint, deadlines) => health(http, endpoint, deadlines),
    countTokens: call => countTokens(http, call),
    listModels: (endpoint, deadlines) => listModels(http, endpoint, deadlines),
    close: async () => ownHttp?.close?.(),
  });
}
