import type { InferenceRequest, Message, Timeouts } from '@x/airframe';

/** A user's words, put through the model's chat template, or a whole conversation. */
export type Prompt = string | Message[];

/**
 * Options of `generate` and `generateStream`, under the names llama.cpp's users know. Any other key is sent to
 * the backend as it is.
 */
export interface GenerateOptions {
  temperature?: number;
  /** Most tokens to generate. */
  num_predict?: number;
  /** Sequences that end the answer. */
  stop?: string[];
  top_p?: number;
  top_k?: number;
  repeat_penalty?: number;
  seed?: number;
  /** Ends the call. */
  signal?: AbortSignal;
  /** Deadlines over the provider's own, in milliseconds. */
  timeouts?: Timeouts;
  [backendParameter: string]: unknown;
}

/** Without keys whose value is undefined. */
export type Defined<Fields> = { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> };

/** Leaves out the fields that are undefined, so that they do not hide a default. Many times a call: no list is made. */
export function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  const kept: Partial<Fields> = {};
  for (const key in fields) if (fields[key] !== undefined) kept[key] = fields[key];
  return kept as Defined<Fields>;
}

/** @param model '' means the backend's own */
export function requestOf(model: string, prompt: Prompt, options: GenerateOptions): InferenceRequest {
  const { temperature, num_predict, stop, top_p, seed, signal: _, timeouts: __, ...rest } = options;
  const extra = defined(rest);
  return {
    messages: typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt,
    ...defined({ model: model || undefined, temperature, maxTokens: num_predict, stop, topP: top_p, seed }),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

/** The way back, for a provider that only has `generate`. */
export function optionsOf(request: InferenceRequest): GenerateOptions {
  const { temperature, maxTokens, stop, topP, seed, extra } = request;
  return { ...extra, ...defined({ temperature, num_predict: maxTokens, stop, top_p: topP, seed }) };
}
