import {
  AirframeError,
  type EmbedRequest,
  type EmbedResult,
  type ExchangeOptions,
  exchangeJson,
  type ModelInfo,
  type TokenCount,
} from '@x/airframe';
import {
  type CallSettings,
  countTokensCall,
  embedCall,
  type GeminiRequest,
  listModelsCall,
} from './request.ts';
import type { WireModel } from './wire.ts';

/** Characters a token has on average: the API counts nothing when it embeds. */
const CHARS_PER_TOKEN = 4;

export async function embed(
  options: ExchangeOptions,
  request: EmbedRequest,
  settings: CallSettings,
): Promise<EmbedResult> {
  const texts = [request.input].flat();
  const embeddings = await exchangeJson(options, embedCall(request, settings), answer => {
    const { embeddings: read } = (answer ?? {}) as { embeddings?: { values?: number[] }[] | null };
    const vectors = (read ?? []).flatMap(({ values }) => (values ? [values] : []));
    if (vectors.length === texts.length) return vectors;
    const problem = `${options.endpoint.baseUrl} answered ${texts.length} texts with ${vectors.length} embeddings`;
    throw new AirframeError('parse', problem);
  });
  const promptTokens = Math.ceil(texts.join('').length / CHARS_PER_TOKEN);
  return {
    embeddings,
    usage: { promptTokens, completionTokens: 0, totalTokens: promptTokens, source: 'estimated' },
  };
}

/** Exact: "Runs a model's tokenizer on input Content" (ai.google.dev "Counting tokens", 2026). */
export function countTokens(
  options: ExchangeOptions,
  request: GeminiRequest,
  settings: CallSettings,
): Promise<TokenCount> {
  return exchangeJson(options, countTokensCall(request, settings), answer => {
    const { totalTokens: tokens } = (answer ?? {}) as { totalTokens?: unknown };
    if (typeof tokens === 'number') return { tokens, exact: true };
    throw new AirframeError('parse', `${options.endpoint.baseUrl} answered countTokens without totalTokens`);
  });
}

/** The most that a page may have. */
const PAGE_SIZE = 1000;

export async function listModels(options: ExchangeOptions, settings: CallSettings): Promise<ModelInfo[]> {
  const models: ModelInfo[] = [];
  let pageToken: string | undefined;
  do {
    const page = await exchangeJson(options, listModelsCall(settings, PAGE_SIZE, pageToken), pageOf);
    models.push(...(page.models ?? []).flatMap(modelInfo));
    pageToken = page.nextPageToken || undefined;
  } while (pageToken !== undefined);
  return models;
}

function pageOf(answer: unknown): { models?: WireModel[] | null; nextPageToken?: string | null } {
  return answer ?? {};
}

function modelInfo({ name, displayName, inputTokenLimit, outputTokenLimit }: WireModel): ModelInfo[] {
  if (name === undefined) return [];
  return [
    {
      id: name.replace(/^models\//, ''),
      ...(displayName === undefined ? {} : { displayName }),
      ...(inputTokenLimit === undefined ? {} : { contextTokens: inputTokenLimit }),
      ...(outputTokenLimit === undefined ? {} : { maxOutputTokens: outputTokenLimit }),
    },
  ];
}
