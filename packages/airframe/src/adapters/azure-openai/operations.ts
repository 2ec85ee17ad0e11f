import type { Call } from '../../adapter.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import { AirframeError } from '../../errors.ts';
import type { EmbedRequest, EmbedResult, ModelInfo } from '../../operations.ts';
import type { Deadlines } from '../../transport/deadline.ts';
import { type ExchangeOptions, exchangeJson } from '../../transport/exchange.ts';
import type { HttpFn } from '../../transport/http.ts';
import { fetchEmbeddings } from '../../wire-openai/embeddings.ts';
import { fetchModels } from '../../wire-openai/models.ts';
import { credentialOf, DEFAULT_SCOPE, type GetToken, signed } from './auth.ts';
import { readError, withRemedy } from './errors.ts';
import { modelsRouteOf, type Resource, resourceOf, routeOf } from './families.ts';
import type { WireModelInfo } from './wire.ts';

/** What the adapter brings to each of its calls. */
export interface Door {
  http: HttpFn;
  getToken: GetToken | undefined;
}

export function embed(
  door: Door,
  { endpoint, request, deadlines }: Call<EmbedRequest>,
): Promise<EmbedResult> {
  const resource = resourceOf(endpoint);
  const asked = request.model ?? endpoint.model;
  const { baseUrl, model, query } = routeOf(endpoint, resource, asked);
  const deployment = resource.deployment ?? asked;
  return through(door, { ...endpoint, baseUrl }, resource, deployment, deadlines, options =>
    fetchEmbeddings(options, request, { path: `/embeddings${query}`, model }),
  );
}

export function listModels(door: Door, endpoint: EndpointSpec, deadlines: Deadlines): Promise<ModelInfo[]> {
  const resource = resourceOf(endpoint);
  const { baseUrl, path } = modelsRouteOf(resource);
  return through(door, { ...endpoint, baseUrl }, resource, undefined, deadlines, options =>
    resource.family === 'models'
      ? exchangeJson(options, { method: 'GET', path }, readModelInfo)
      : fetchModels(options, path),
  );
}

/** The one model of an endpoint of the family `models`. */
function readModelInfo(json: unknown): ModelInfo[] {
  const { model_name: id, model_provider_name: ownedBy } = (json ?? {}) as WireModelInfo;
  if (id) return [{ id, ...(ownedBy ? { ownedBy } : {}) }];
  throw new AirframeError('parse', 'the backend answered /info without model_name', {
    raw: JSON.stringify(json),
  });
}

/** Asks for the models: cheap, and answered for a good key only. */
export function health(door: Door, endpoint: EndpointSpec, deadlines: Deadlines): Promise<'healthy'> {
  const resource = resourceOf(endpoint);
  const { baseUrl, path } = modelsRouteOf(resource);
  return through(door, { ...endpoint, baseUrl }, resource, undefined, deadlines, options =>
    exchangeJson(options, { method: 'GET', path }, () => 'healthy'),
  );
}

/** Makes a call with the endpoint's credential; what goes wrong gets Azure's remedy. */
async function through<T>(
  { http, getToken }: Door,
  endpoint: EndpointSpec,
  resource: Resource,
  deployment: string | undefined,
  deadlines: Deadlines,
  send: (options: ExchangeOptions) => Promise<T>,
): Promise<T> {
  const credential = credentialOf(endpoint, getToken);
  const scope = resource.options.scope ?? DEFAULT_SCOPE;
  const target = await signed(endpoint, credential, getToken, scope, deadlines.signal);
  try {
    return await send({ http, endpoint: target, deadlines, readError });
  } catch (error) {
    throw withRemedy(error, resource, credential, deployment);
  }
}
