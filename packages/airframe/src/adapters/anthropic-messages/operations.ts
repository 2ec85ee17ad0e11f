import type { InferenceCall } from '../../adapter.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import { AirframeError, isAirframeError } from '../../errors.ts';
import type { ModelInfo, TokenCount } from '../../operations.ts';
import type { Deadlines } from '../../transport/deadline.ts';
import { exchangeJson } from '../../transport/exchange.ts';
import type { HttpFn } from '../../transport/http.ts';
import { readError } from './errors.ts';
import { settingsOf } from './options.ts';
import { countTokensCall } from './request.ts';
import type { AnthropicExtra, WireModel, WireModelPage } from './wire.ts';

/** A call to `count_tokens`, which is free of charge and has a rate limit of its own. */
export function countTokens(
  http: HttpFn,
  { endpoint, request, deadlines }: InferenceCall<AnthropicExtra>,
): Promise<TokenCount> {
  const call = countTokensCall(request, settingsOf(endpoint));
  return exchangeJson({ http, endpoint, deadlines, readError }, call, json => {
    const tokens = (json as { input_tokens?: unknown } | null)?.input_tokens;
    if (typeof tokens === 'number') return { tokens, exact: false };
    throw new AirframeError('parse', `${endpoint.baseUrl} answered count_tokens without input_tokens`, {
      raw: JSON.stringify(json),
    });
  });
}

/** The most that the API gives at once. */
const PAGE_MODELS = 1_000;
const MAX_PAGES = 20;

export async function listModels(
  http: HttpFn,
  endpoint: EndpointSpec,
  deadlines: Deadlines,
): Promise<ModelInfo[]> {
  const { headers } = settingsOf(endpoint);
  const models: ModelInfo[] = [];
  let after = '';
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const path = `/v1/models?limit=${PAGE_MODELS}${after && `&after_id=${encodeURIComponent(after)}`}`;
    const page = await exchangeJson(
      { http, endpoint, deadlines, readError },
      { method: 'GET', path, headers },
      readPage,
    );
    models.push(...page.models);
    if (page.next === undefined) return models;
    after = page.next;
  }
  throw new AirframeError(
    'parse',
    `the list of models at ${endpoint.baseUrl} has no end: ${MAX_PAGES} pages`,
  );
}

/** @returns in `next` the id after which the next page begins */
function readPage(json: unknown): { models: ModelInfo[]; next: string | undefined } {
  const { data, has_more, last_id } = (json ?? {}) as WireModelPage;
  if (!Array.isArray(data)) {
    throw new AirframeError('parse', 'the Messages API answered without a list of models', {
      raw: JSON.stringify(json),
    });
  }
  const models = data.flatMap(entry => (entry?.id ? [modelOf(entry, entry.id)] : []));
  return { models, next: has_more ? (last_id ?? undefined) : undefined };
}

function modelOf(wire: WireModel, id: string): ModelInfo {
  const { display_name, created_at, max_input_tokens, max_tokens } = wire;
  const createdAt = Date.parse(created_at ?? '');
  return {
    id,
    ...(display_name && display_name !== id ? { displayName: display_name } : {}),
    // The epoch itself stands for unknown.
    ...(createdAt > 0 ? { createdAt } : {}),
    ...(max_input_tokens ? { contextTokens: max_input_tokens } : {}),
    ...(max_tokens ? { maxOutputTokens: max_tokens } : {}),
  };
}

/** Costs nothing and needs a valid key. Servers without a list of models (Azure Foundry) leave it open. */
export async function health(
  http: HttpFn,
  endpoint: EndpointSpec,
  deadlines: Deadlines,
): Promise<'healthy' | 'unknown'> {
  const { headers } = settingsOf(endpoint);
  const call = { method: 'GET', path: '/v1/models?limit=1', headers } as const;
  try {
    return await exchangeJson({ http, endpoint, deadlines, readError }, call, () => 'healthy');
  } catch (error) {
    if (isAirframeError(error) && error.category === 'not_found') return 'unknown';
    throw error;
  }
}
