import type { Call } from '../../adapter.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import type { EmbedRequest, EmbedResult, ModelInfo } from '../../operations.ts';
import type { Deadlines } from '../../transport/deadline.ts';
import { exchangeJson } from '../../transport/exchange.ts';
import type { HttpFn } from '../../transport/http.ts';
import { fetchEmbeddings } from '../../wire-openai/embeddings.ts';
import { readError } from '../../wire-openai/errors.ts';
import { fetchModels } from '../../wire-openai/models.ts';
import { withRootRemedy } from '../../wire-openai/root.ts';
import { settingsOf } from './options.ts';

export async function embed(
  http: HttpFn,
  { endpoint, request, deadlines }: Call<EmbedRequest>,
): Promise<EmbedResult> {
  const { headers } = settingsOf(endpoint);
  const route = { path: '/embeddings', model: request.model ?? endpoint.model, headers };
  try {
    return await fetchEmbeddings({ http, endpoint, deadlines, readError }, request, route);
  } catch (error) {
    throw withRootRemedy(error, endpoint);
  }
}

export async function listModels(
  http: HttpFn,
  endpoint: EndpointSpec,
  deadlines: Deadlines,
): Promise<ModelInfo[]> {
  const { headers } = settingsOf(endpoint);
  try {
    return await fetchModels({ http, endpoint, deadlines, readError }, '/models', headers);
  } catch (error) {
    throw withRootRemedy(error, endpoint);
  }
}

export async function health(http: HttpFn, endpoint: EndpointSpec, deadlines: Deadlines): Promise<'healthy'> {
  const { profile, headers } = settingsOf(endpoint);
  const call = { method: 'GET', path: profile.healthPath, headers } as const;
  return exchangeJson({ http, endpoint, deadlines, readError }, call, () => 'healthy');
}
