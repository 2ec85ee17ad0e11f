import type { WireError } from '../../wire-openai/errors.ts';

/**
 * The shapes of OpenAI's Responses API, as far as they are read; everything may be missing or null.
 * Sources: openai/openai-openapi f85dbe22 and openai-node 7.5.0 7b7d6ca7 (2026-08-21).
 */

/**
 * Parameters of the Responses API beyond the common ones; sent as they are, over what the common ones say. Only
 * `tools` and `include` are added to the request's own, and `text` and `reasoning` join them field by field.
 */
export interface OpenAIResponsesExtra {
  /** OpenAI keeps the response. Default here: false, so that the history travels with each request. */
  store?: boolean;
  /** Goes on from a stored response; `messages` are then only what is new. */
  previous_response_id?: string;
  conversation?: string | { id: string };
  include?: string[];
  /** The API's own tools, or functions with fields that `ToolSpec` has not, such as `strict`. */
  tools?: Record<string, unknown>[];
  max_tool_calls?: number;
  /** Without `summary` the API shows no thinking. */
  reasoning?: { effort?: string; summary?: 'auto' | 'concise' | 'detailed'; [field: string]: unknown };
  text?: { verbosity?: 'low' | 'medium' | 'high'; [field: string]: unknown };
  metadata?: Record<string, string>;
  safety_identifier?: string;
  prompt_cache_options?: { mode?: string; ttl?: string };
  top_logprobs?: number;
  truncation?: 'auto' | 'disabled';
  stream_options?: { include_obfuscation?: boolean };
  /** A prompt kept at OpenAI. */
  prompt?: { id: string; version?: string; variables?: Record<string, unknown> };
  [parameter: string]: unknown;
}

/** A part of a message (`output_text`, `refusal`), of a summary (`summary_text`) or of thinking (`reasoning_text`). */
export interface WirePart {
  type?: string;
  text?: string | null;
  refusal?: string | null;
}

export interface WireItem {
  /** `message`, `function_call`, `reasoning`, and what the API runs itself (`web_search_call` …). */
  type?: string;
  /** Of the item (`fc_…`): what the deltas of a stream refer to. */
  id?: string | null;
  /** Of the call (`call_…`): what its result refers to. */
  call_id?: string | null;
  name?: string | null;
  arguments?: string | null;
  content?: WirePart[] | null;
  summary?: WirePart[] | null;
  encrypted_content?: string | null;
  status?: string | null;
}

export interface WireUsage {
  /** Cached ones included. */
  input_tokens?: number | null;
  input_tokens_details?: { cached_tokens?: number | null; cache_write_tokens?: number | null } | null;
  /** Reasoning included. */
  output_tokens?: number | null;
  output_tokens_details?: { reasoning_tokens?: number | null } | null;
}

/** A whole answer, and the `response` of the events that carry one. */
export interface WireResponse {
  id?: string | null;
  model?: string | null;
  /** `completed`, `incomplete`, `failed`, `cancelled`; `queued` and `in_progress` are no end. */
  status?: string | null;
  error?: WireError | null;
  incomplete_details?: { reason?: string | null } | null;
  output?: WireItem[] | null;
  usage?: WireUsage | null;
  /** In `response.created` the tier asked for; at the end the one that served. */
  service_tier?: string | null;
}

/** An event of the stream; as `error` it is an error itself, flat or with an `error` inside. */
export interface WireEvent extends WireError {
  error?: WireError | null;
  response?: WireResponse | null;
  item?: WireItem | null;
  item_id?: string | null;
  output_index?: number | null;
  content_index?: number | null;
  summary_index?: number | null;
  delta?: string | null;
  text?: string | null;
  refusal?: string | null;
  arguments?: string | null;
}
