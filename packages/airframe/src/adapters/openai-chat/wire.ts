import type { WireError } from '../../wire-openai/errors.ts';

/**
 * The shapes of Chat Completions, as OpenAI and the servers that copy it send them; everything may be missing or
 * null. Sources: openai/openai-openapi f85dbe22 and openai-node 7.5.0 7b7d6ca7 (2026-08-21); for the others see
 * profiles.ts.
 */

/** Parameters beyond the common ones; sent as they are, after everything else. */
export interface OpenAIChatExtra {
  frequency_penalty?: number;
  presence_penalty?: number;
  logit_bias?: Record<string, number>;
  logprobs?: boolean;
  top_logprobs?: number;
  verbosity?: 'low' | 'medium' | 'high';
  /** OpenAI keeps the answer. Default there: false. */
  store?: boolean;
  metadata?: Record<string, string>;
  safety_identifier?: string;
  user?: string;
  prediction?: { type: 'content'; content: string };
  web_search_options?: Record<string, unknown>;
  prompt_cache_options?: { mode?: string; ttl?: string };
  stream_options?: { include_usage?: boolean; include_obfuscation?: boolean };
  /** vLLM, Ollama, LM Studio, Together, OpenRouter. */
  top_k?: number;
  min_p?: number;
  repetition_penalty?: number;
  /** vLLM. */
  chat_template_kwargs?: Record<string, unknown>;
  structured_outputs?: Record<string, unknown>;
  /** OpenRouter. */
  models?: string[];
  provider?: Record<string, unknown>;
  /** Groq. */
  reasoning_format?: 'hidden' | 'raw' | 'parsed';
  /** Mistral. */
  safe_prompt?: boolean;
  prompt_mode?: 'reasoning';
  /** DeepSeek. */
  thinking?: { type: 'enabled' | 'disabled' };
  /** LM Studio: seconds a model loaded for this call stays. */
  ttl?: number;
  [parameter: string]: unknown;
}

export interface WireToolCall {
  /** The key of the call; missing, null or always 0 at some servers. */
  index?: number | null;
  /** Empty, null or the string "null" at some. */
  id?: string | null;
  function?: {
    name?: string | null;
    /** JSON text; an object at Mistral, TGI and llama.cpp of March 2026. */
    arguments?: string | Record<string, unknown> | null;
  } | null;
  /** Gemini's endpoint: has to come back with the call. */
  extra_content?: unknown;
}

/** A part of a content array (Mistral, in deltas too). */
export interface WirePart {
  type?: string;
  text?: string | null;
  thinking?: string | WirePart[] | null;
}

/** OpenRouter: thinking that some models want back as it was. */
export interface WireReasoningDetail {
  type?: 'reasoning.text' | 'reasoning.summary' | 'reasoning.encrypted' | (string & {});
  text?: string | null;
  summary?: string | null;
  signature?: string | null;
  /** Encrypted thinking. */
  data?: string | null;
}

export interface WireDelta {
  role?: string | null;
  content?: string | WirePart[] | null;
  refusal?: string | null;
  /** DeepSeek, LM Studio, SGLang, older vLLM. */
  reasoning_content?: string | null;
  /** Ollama, vLLM, Groq, OpenRouter; Together sends both, with the same text. */
  reasoning?: string | null;
  reasoning_details?: WireReasoningDetail[] | null;
  tool_calls?: WireToolCall[] | null;
}

export interface WireChoice {
  index?: number | null;
  delta?: WireDelta | null;
  /** In an answer that is not a stream. */
  message?: WireDelta | null;
  /** From `/completions`. */
  text?: string | null;
  finish_reason?: string | null;
}

export interface WireUsage {
  prompt_tokens?: number | null;
  completion_tokens?: number | null;
  total_tokens?: number | null;
  prompt_tokens_details?: WirePromptDetails | null;
  /** Mistral's spelling. */
  prompt_token_details?: WirePromptDetails | null;
  /** Mistral. */
  num_cached_tokens?: number | null;
  /** DeepSeek. */
  prompt_cache_hit_tokens?: number | null;
  completion_tokens_details?: { reasoning_tokens?: number | null } | null;
}

interface WirePromptDetails {
  cached_tokens?: number | null;
  cache_write_tokens?: number | null;
}

/** A chunk, and a whole answer. */
export interface WireChunk {
  id?: string | null;
  model?: string | null;
  choices?: WireChoice[] | null;
  usage?: WireUsage | null;
  service_tier?: string | null;
  /** llama-server, which alone counts usage by choice. */
  timings?: object | null;
  error?: WireError | string | null;
  /** `error` in the flat error bodies of Mistral and older vLLM. */
  object?: string | null;
  /** Groq: usage on the last chunk, or why the stream stops early. */
  x_groq?: { usage?: WireUsage | null; error?: WireError | string | null } | null;
}
