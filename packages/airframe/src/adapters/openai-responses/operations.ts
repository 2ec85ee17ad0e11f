import type { Call, InferenceCall } from '../../adapter.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import { AirframeError, isAirframeError } from '../../errors.ts';
import type { EmbedRequest, EmbedResult, ModelInfo, TokenCount } from '../../operations.ts';
import type { Deadlines } from '../../transport/deadline.ts';
import { exchangeJson } from '../../transport/exchange.ts';
import type { HttpFn } from '../../transport/http.ts';
import { fetchEmbeddings } from '../../wire-openai/embeddings.ts';
import { errorIn, inBandError, readError } from '../../wire-openai/errors.ts';
import { fetchModels } from '../../wire-openai/models.ts';
import { withRootRemedy } from '../../wire-openai/root.ts';
import { headersOf } from './options.ts';
import { inputTokensCall } from './request.ts';
import type { OpenAIResponsesExtra } from './wire.ts';

export async function embed(
  http: HttpFn,
  { endpoint, request, deadlines }: Call<EmbedRequest>,
): Promise<EmbedResult> {
  const headers = headersOf(endpoint);
  const route = { path: '/embeddings', model: request.model ?? endpoint.model, headers };
  try {
    return await fetchEmbeddings({ http, endpoint, deadlines, readError }, request, route);
  } catch (error) {
    throw withRootRemedy(error, endpoint);
  }
}

export async function countTokens(
  http: HttpFn,
  { endpoint, request, deadlines }: InferenceCall<OpenAIResponsesExtra>,
): Promise<TokenCount> {
  const call = inputTokensCall(request, endpoint.model, headersOf(endpoint));
  try {
    return await exchangeJson({ http, endpoint, deadlines, readError }, call, readInputTokens);
  } catch (error) {
    throw withRootRemedy(error, endpoint);
  }
}

function readInputTokens(json: unknown): TokenCount {
  const error = errorIn(json);
  if (error !== undefined) throw inBandError(error);
  const tokens = (json as { input_tokens?: unknown } | null)?.input_tokens;
  if (typeof tokens === 'number') return { tokens, exact: true };
  throw new AirframeError('parse', 'the Responses API counted without input_tokens', {
    raw: JSON.stringify(json),
  });
}

export async function listModels(
  http: HttpFn,
  endpoint: EndpointSpec,
  deadlines: Deadlines,
): Promise<ModelInfo[]> {
  const headers = headersOf(endpoint);
  try {
    return await fetchModels({ http, endpoint, deadlines, readError }, '/models', headers);
  } catch (error) {
    throw withRootRemedy(error, endpoint);
  }
}

/** Costs nothing and needs a valid key. Servers without a list of models leave it open. */
export async function health(
  http: HttpFn,
  endpoint: EndpointSpec,
  deadlines: Deadlines,
): Promise<'healthy' | 'unknown'> {
  const call = { method: 'GET', path: '/models', headers: headersOf(endpoint) } as const;
  try {
    return await exchangeJson({ http, endpoint, deadlines, readError }, call, () => 'healthy');
  } catch (error) {
    if (isAirframeError(error) && error.category === 'not_found') return 'unknown';
    throw error;
  }
}
