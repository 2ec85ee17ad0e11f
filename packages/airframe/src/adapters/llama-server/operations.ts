import type { Call, InferenceCall } from '../../adapter.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import { AirframeError } from '../../errors.ts';
import type { EmbedRequest, EmbedResult, ModelInfo, TokenCount } from '../../operations.ts';
import type { Deadlines } from '../../transport/deadline.ts';
import { exchangeJson } from '../../transport/exchange.ts';
import type { HttpFn } from '../../transport/http.ts';
import { fetchEmbeddings } from '../../wire-openai/embeddings.ts';
import { fetchModels } from '../../wire-openai/models.ts';
import { isLoading, whenLoaded } from './loading.ts';
import { apiTypeOf, authHeaders } from './options.ts';
import { countTokensCall, routeOf } from './request.ts';
import { readError } from './stream.ts';
import type { LlamaServerExtra } from './wire.ts';

/** The server has to run with `--embeddings`, and a model without pooling of its own with `--pooling`. */
export function embed(
  http: HttpFn,
  { endpoint, request, deadlines }: Call<EmbedRequest>,
): Promise<EmbedResult> {
  const headers = authHeaders(endpoint);
  const route = { path: '/v1/embeddings', model: request.model ?? endpoint.model, headers };
  return whenLoaded(deadlines, () =>
    fetchEmbeddings({ http, endpoint, deadlines, readError }, request, route),
  );
}

export function countTokens(
  http: HttpFn,
  { endpoint, request, deadlines }: InferenceCall<LlamaServerExtra>,
): Promise<TokenCount> {
  const route = routeOf(request, apiTypeOf(endpoint));
  const call = countTokensCall(request, route, request.model ?? endpoint.model, authHeaders(endpoint));
  return whenLoaded(deadlines, () =>
    exchangeJson({ http, endpoint, deadlines, readError }, call, readTokenCount),
  );
}

/** The tokens themselves from `/tokenize`, their number from the chat's route. */
function readTokenCount(json: unknown): TokenCount {
  const { tokens, input_tokens: count } = (json ?? {}) as { tokens?: unknown; input_tokens?: unknown };
  if (Array.isArray(tokens)) return { tokens: tokens.length, exact: true };
  if (typeof count === 'number') return { tokens: count, exact: true };
  throw new AirframeError('parse', 'llama-server counted without a number of tokens', {
    raw: JSON.stringify(json),
  });
}

export function listModels(http: HttpFn, endpoint: EndpointSpec, deadlines: Deadlines): Promise<ModelInfo[]> {
  return whenLoaded(deadlines, () =>
    fetchModels({ http, endpoint, deadlines, readError }, '/v1/models', authHeaders(endpoint)),
  );
}

/** `/health` needs no key, so it alone proves nothing about ours; `/v1/models` does. */
export async function health(
  http: HttpFn,
  endpoint: EndpointSpec,
  deadlines: Deadlines,
): Promise<'healthy' | 'loading'> {
  const call = { method: 'GET', path: '/v1/models', headers: authHeaders(endpoint) } as const;
  try {
    return await exchangeJson({ http, endpoint, deadlines, readError }, call, () => 'healthy');
  } catch (error) {
    if (isLoading(error)) return 'loading';
    throw error;
  }
}
