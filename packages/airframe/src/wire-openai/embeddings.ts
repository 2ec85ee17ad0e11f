import { CHARS_PER_TOKEN } from '../assemble/reply.ts';
import { AirframeError } from '../errors.ts';
import type { Usage } from '../events.ts';
import type { EmbedRequest, EmbedResult } from '../operations.ts';
import { type ExchangeOptions, exchangeJson } from '../transport/exchange.ts';
import { errorIn, inBandError } from './errors.ts';

/**
 * The answer of `/embeddings`; everything may be missing or null. Source: openai/openai-openapi f85dbe22
 * (2026-08-21).
 */
interface WireEmbeddings {
  data?: ({ index?: number | null; embedding?: unknown } | null)[] | null;
  model?: string | null;
  usage?: { prompt_tokens?: number | null } | null;
}

/** Where a call for vectors goes. */
export interface EmbeddingsRoute {
  path: string;
  /** For the body. */
  model: string | undefined;
  headers?: Record<string, string>;
}

/** @throws AirframeError */
export function fetchEmbeddings(
  options: ExchangeOptions,
  request: EmbedRequest,
  { path, model, headers = {} }: EmbeddingsRoute,
): Promise<EmbedResult> {
  const { input, dimensions, extra } = request;
  const body = { model, input, dimensions, ...extra };
  return exchangeJson(options, { method: 'POST', path, headers, body }, json =>
    readEmbeddings(json, request),
  );
}

/**
 * Reads the vectors in the order of the texts; floats or, where `encoding_format` or the server wants it, base64.
 * @throws AirframeError (parse) unless each text has its vector
 */
export function readEmbeddings(json: unknown, request: EmbedRequest): EmbedResult {
  const error = errorIn(json);
  if (error !== undefined) throw inBandError(error);
  const texts = [request.input].flat();
  const { data, model, usage } = (json ?? {}) as WireEmbeddings;
  if (!Array.isArray(data) || data.length !== texts.length) {
    const count = Array.isArray(data) ? data.length : 'no';
    throw new AirframeError('parse', `the backend answered with ${count} vectors for ${texts.length} texts`, {
      raw: JSON.stringify(json),
    });
  }
  // A stable sort: where all have the same index or none, the order is that of the answer.
  const entries = [...data].sort((a, b) => (a?.index ?? 0) - (b?.index ?? 0));
  return {
    embeddings: entries.map(entry => vectorOf(entry?.embedding, request.dimensions)),
    ...(model ? { model } : {}),
    usage: usageOf(usage?.prompt_tokens, texts),
  };
}

function vectorOf(value: unknown, dimensions: number | undefined): number[] {
  const vector = typeof value === 'string' ? decodeFloats(value) : value;
  const isVector = Array.isArray(vector) && vector.length > 0 && vector.every(n => typeof n === 'number');
  if (!isVector) {
    throw new AirframeError('parse', 'the backend sent an embedding that is neither floats nor base64', {
      raw: JSON.stringify(value),
    });
  }
  if (dimensions !== undefined && vector.length !== dimensions) {
    const problem = `vectors of ${dimensions} dimensions were asked for, and the backend gave ${vector.length}`;
    throw new AirframeError('invalid_request', problem, {
      code: 'unsupported',
      remedy: 'leave out dimensions, or name a model that lets one choose',
    });
  }
  return vector;
}

const FLOAT_BYTES = 4;

/** Little-endian float32 in base64. */
function decodeFloats(text: string): number[] | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.byteLength % FLOAT_BYTES !== 0) return undefined;
  return Array.from({ length: bytes.byteLength / FLOAT_BYTES }, (_, i) => bytes.readFloatLE(i * FLOAT_BYTES));
}

/** LM Studio reports 0. */
function usageOf(reported: number | null | undefined, texts: string[]): Usage {
  const chars = texts.reduce((sum, text) => sum + text.length, 0);
  const promptTokens = reported || Math.ceil(chars / CHARS_PER_TOKEN);
  const source = reported ? 'reported' : 'estimated';
  return { promptTokens, completionTokens: 0, totalTokens: promptTokens, source };
}
