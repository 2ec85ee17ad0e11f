import * as z from 'zod';
import type { Usage } from './events.ts';

/** Texts to be turned into vectors. */
export interface EmbedRequest {
  /** One text or several; each gets a vector. */
  input: string | readonly string[];
  /** Model name as the backend knows it. Absent: the endpoint's own. */
  model?: string;
  /** Length of the vectors, where the model lets one choose. Absent: the model's own. */
  dimensions?: number;
  /** The backend's own parameters, sent as they are. */
  extra?: Record<string, unknown>;
}

/** Checks an {@link EmbedRequest}. */
export const embedRequestSchema: z.ZodType<EmbedRequest> = z.object({
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  model: z.string().min(1).exactOptional(),
  dimensions: z.int().positive().exactOptional(),
  extra: z.record(z.string(), z.unknown()).exactOptional(),
});

/** What came of an {@link EmbedRequest}. */
export interface EmbedResult {
  /** One vector a text, in the order of the input. */
  embeddings: number[][];
  /** The model that answered, in the backend's words. */
  model?: string;
  /** `completionTokens` is 0. `estimated` where the backend counts nothing. */
  usage: Usage;
}

/** Tokens that the prompt of a request has. */
export interface TokenCount {
  tokens: number;
  /** false: the backend itself calls its count an estimate (Anthropic). */
  exact: boolean;
}

/** A model that an endpoint offers. */
export interface ModelInfo {
  /** What a request names as `model`. */
  id: string;
  /** For people to read, where it is another than `id`. */
  displayName?: string;
  /** Milliseconds since the epoch. */
  createdAt?: number;
  ownedBy?: string;
  /** Tokens of context one request may use. */
  contextTokens?: number;
  /** Most tokens one answer may have. */
  maxOutputTokens?: number;
}
