/**
 * llama-server's shapes, as far as they are read; everything may be missing.
 * Source: ggml-org/llama.cpp, tools/server (README.md, server-task.cpp, server-chat.cpp), commit de3ff815, 2026-09-28.
 */

/** Parameters of llama-server beyond the common ones; sent as they are. */
export interface LlamaServerExtra {
  top_k?: number;
  min_p?: number;
  typical_p?: number;
  repeat_penalty?: number;
  repeat_last_n?: number;
  presence_penalty?: number;
  frequency_penalty?: number;
  dry_multiplier?: number;
  xtc_probability?: number;
  mirostat?: 0 | 1 | 2;
  samplers?: string[];
  logit_bias?: [number | string, number | false][];
  ignore_eos?: boolean;
  /** GBNF. Not together with a JSON schema. */
  grammar?: string;
  json_schema?: Record<string, unknown>;
  /** Slot to use; -1: any. */
  id_slot?: number;
  /** Reuse what the slot still holds of the prompt. Server default: true. */
  cache_prompt?: boolean;
  /** Values for the chat template, e.g. `{enable_thinking: false}`. */
  chat_template_kwargs?: Record<string, unknown>;
  reasoning_format?: 'none' | 'auto' | 'deepseek' | 'deepseek-legacy';
  /** Figures on each event instead of the last one only. */
  timings_per_token?: boolean;
  t_max_predict_ms?: number;
  n_probs?: number;
  lora?: { id: number; scale: number }[];
  [parameter: string]: unknown;
}

export interface WireTimings {
  /** Prompt tokens found in the slot's cache. */
  cache_n?: number;
  /** Prompt tokens evaluated, without cached ones. */
  prompt_n?: number;
  prompt_ms?: number;
  predicted_n?: number;
  predicted_ms?: number;
  predicted_per_second?: number;
}

export interface WireError {
  /** The HTTP status. */
  code?: number | string | null;
  message?: string;
  type?: string;
  n_prompt_tokens?: number;
  n_ctx?: number;
}

/** A frame of `/completion`, and its whole answer. */
export interface WireCompletion {
  /** Of the choice. */
  index?: number;
  content?: string;
  stop?: boolean;
  stop_type?: 'none' | 'eos' | 'limit' | 'word' | (string & {});
  model?: string;
  tokens_predicted?: number;
  /** All prompt tokens, cached ones included. `tokens_cached` is something else and not read. */
  tokens_evaluated?: number;
  timings?: WireTimings;
  error?: WireError | string;
}

export interface WireToolCall {
  index?: number | null;
  id?: string | null;
  function?: {
    name?: string | null;
    /** An object in builds of March 2026 (llama.cpp #20198). */
    arguments?: string | Record<string, unknown> | null;
  };
}

export interface WireDelta {
  content?: string | null;
  reasoning_content?: string | null;
  tool_calls?: WireToolCall[] | null;
}

/** A chunk of `/v1/chat/completions` or `/v1/completions`, and their whole answers. */
export interface WireChunk {
  id?: string;
  model?: string;
  choices?: {
    index?: number;
    delta?: WireDelta | null;
    message?: WireDelta | null;
    text?: string | null;
    finish_reason?: string | null;
  }[];
  usage?: {
    prompt_tokens?: number;
    completion_tokens?: number;
    prompt_tokens_details?: { cached_tokens?: number } | null;
  } | null;
  timings?: WireTimings;
  error?: WireError | string;
}
