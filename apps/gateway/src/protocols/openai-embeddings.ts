import type { EmbeddingRequest, EmbeddingResponse } from '@x/avionics';
import { z } from 'zod';
import { leftOut, readBody } from './read.ts';

// OpenAI's Embeddings. Source: openai/openai-openapi f85dbe22 (2026-08-21).

const requestSchema = z.looseObject({
  model: z.string().nullish(),
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(2_048)], {
    error: 'give a text or a list of texts, none of them empty; token ids mean something to one model only',
  }),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().positive().nullish(),
});

/** All that need not be named where it is left out. */
const KNOWN: ReadonlySet<string> = new Set([...Object.keys(requestSchema.shape), 'user']);

export interface AskedVectors {
  model: string;
  request: EmbeddingRequest;
  /** As little-endian float32 in base64, which the official client asks for. */
  base64: boolean;
  /** What the client asks that the gateway leaves out. */
  ignored: readonly string[];
}

/** What a client of Embeddings asks. @throws AirframeError (invalid_request) */
export function readEmbeddings(body: unknown): AskedVectors {
  const asked = readBody(requestSchema, body);
  const { model, input, encoding_format: encoding, dimensions } = asked;
  return {
    model: model ?? '',
    request: { input, ...(dimensions ? { dimensions } : {}) },
    base64: encoding === 'base64',
    ignored: leftOut(asked, KNOWN),
  };
}

/** The answer. */
export function embeddingsBody(response: EmbeddingResponse, base64: boolean) {
  const { embeddings, model, tokensUsed, costUsd, metadata } = response;
  return {
    object: 'list',
    data: embeddings.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: base64 ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector,
    })),
    model,
    usage: { prompt_tokens: tokensUsed, total_tokens: tokensUsed, cost: metadata.priced ? costUsd : null },
  };
}
