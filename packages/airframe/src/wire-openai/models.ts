import { AirframeError } from '../errors.ts';
import type { ModelInfo } from '../operations.ts';
import { type ExchangeOptions, exchangeJson } from '../transport/exchange.ts';
import { errorIn, inBandError } from './errors.ts';

/**
 * An entry of `/models`; everything may be missing or null. Sources: openai/openai-openapi f85dbe22 (2026-08-21);
 * groq-typescript 709b1ab, mistralai/client-ts 165afae2, together-typescript 72b7cb89 (2026); vllm-project/vllm
 * 006c49d4 (2026-09); OpenRouter docs (2026-06); Azure OpenAI REST, Models - List (2024-10-21).
 */
interface WireModel {
  id?: string | null;
  /** OpenRouter, Mistral. */
  name?: string | null;
  /** Together. */
  display_name?: string | null;
  /** Seconds since the epoch. */
  created?: number | null;
  /** Azure; seconds. */
  created_at?: number | null;
  owned_by?: string | null;
  /** Together. */
  organization?: string | null;
  /** OpenRouter, Together. */
  context_length?: number | null;
  /** Groq. */
  context_window?: number | null;
  /** vLLM. */
  max_model_len?: number | null;
  /** Mistral. */
  max_context_length?: number | null;
  /** Groq. */
  max_completion_tokens?: number | null;
  /** OpenRouter. */
  top_provider?: { max_completion_tokens?: number | null } | null;
  /** llama-server: what one of its slots holds. */
  meta?: { n_ctx?: number | null } | null;
}

/** @throws AirframeError */
export function fetchModels(
  options: ExchangeOptions,
  path: string,
  headers: Record<string, string> = {},
): Promise<ModelInfo[]> {
  return exchangeJson(options, { method: 'GET', path, headers }, readModels);
}

/**
 * Reads a list of models; an entry without an id is left out. The list is `data`, null when there is none (Ollama),
 * or the whole answer (Together).
 * @throws AirframeError (parse) where there is no list
 */
export function readModels(json: unknown): ModelInfo[] {
  const error = errorIn(json);
  if (error !== undefined) throw inBandError(error);
  const list = Array.isArray(json) ? json : (json as { data?: unknown } | null)?.data;
  if (list === null) return [];
  if (!Array.isArray(list)) {
    throw new AirframeError('parse', 'the backend answered without a list of models', {
      raw: JSON.stringify(json),
    });
  }
  return list.flatMap((entry: WireModel | null) => (entry?.id ? [modelOf(entry, entry.id)] : []));
}

function modelOf(wire: WireModel, id: string): ModelInfo {
  const displayName = wire.display_name || wire.name;
  const created = firstFigure(wire.created, wire.created_at);
  const ownedBy = wire.owned_by || wire.organization;
  const { context_length, context_window, max_model_len, max_context_length, meta, top_provider } = wire;
  const contextTokens = firstFigure(
    context_length,
    context_window,
    max_model_len,
    max_context_length,
    meta?.n_ctx,
  );
  const maxOutputTokens = firstFigure(wire.max_completion_tokens, top_provider?.max_completion_tokens);
  return {
    id,
    ...(displayName && displayName !== id ? { displayName } : {}),
    ...(created ? { createdAt: created * 1_000 } : {}),
    ...(ownedBy ? { ownedBy } : {}),
    ...(contextTokens ? { contextTokens } : {}),
    ...(maxOutputTokens ? { maxOutputTokens } : {}),
  };
}

/** 0 stands for unknown. */
function firstFigure(...values: unknown[]): number | undefined {
  return values.find((value): value is number => typeof value === 'number' && value > 0);
}
