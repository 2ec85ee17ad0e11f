/**
 * The Messages API's shapes, as far as they are read; everything may be missing.
 * Source: anthropics/anthropic-sdk-typescript 0.120.0, src/resources/messages/messages.ts, commit bfa9197f,
 * 2026-08-19; docs.claude.com "Errors" and "Streaming messages", 2026.
 */

/** The version that this file describes; the API refuses calls without one. */
export const API_VERSION = '2023-06-01';

/**
 * Parameters of the Messages API beyond the common ones; sent as they are, over what the common ones say. Only
 * `tools` are added to the request's own, and `output_config` joins the request's field by field.
 */
export interface AnthropicExtra {
  /** Models after Opus 4.6 answer 400 for any value. */
  top_k?: number;
  metadata?: { user_id?: string | null };
  thinking?:
    | { type: 'enabled'; budget_tokens: number; display?: 'summarized' | 'omitted' }
    | { type: 'adaptive'; display?: 'summarized' | 'omitted' }
    | { type: 'disabled' };
  output_config?: { effort?: 'low' | 'medium' | 'high' | 'xhigh' | 'max'; [field: string]: unknown };
  /** Server tools, or custom ones with fields that `ToolSpec` has not. */
  tools?: Record<string, unknown>[];
  /** Id of a code execution container to go on with. */
  container?: string | Record<string, unknown>;
  inference_geo?: string;
  /** 0: only warm the prompt cache. */
  max_tokens?: number;
  [parameter: string]: unknown;
}

/** `input_tokens` is what was neither read from the cache nor written to it. Cumulative where it comes again. */
export interface WireUsage {
  input_tokens?: number | null;
  cache_creation_input_tokens?: number | null;
  /** The same tokens by how long they are kept; `message_delta` does not repeat it. */
  cache_creation?: { ephemeral_1h_input_tokens?: number | null } | null;
  cache_read_input_tokens?: number | null;
  /** Thinking included. */
  output_tokens?: number | null;
  output_tokens_details?: { thinking_tokens?: number | null } | null;
  service_tier?: string | null;
}

export interface WireBlock {
  /** `text`, `tool_use`, `thinking`, `redacted_thinking`, and what the API runs itself (`server_tool_use` …). */
  type?: string;
  text?: string;
  id?: string;
  name?: string;
  /** In `content_block_start` an empty placeholder. */
  input?: unknown;
  thinking?: string;
  signature?: string;
  data?: string;
}

export interface WireDelta {
  /** `text_delta`, `input_json_delta`, `thinking_delta`, `signature_delta`, `citations_delta`; in a block. */
  type?: string;
  text?: string;
  partial_json?: string;
  thinking?: string;
  signature?: string;
  /** In `message_delta`. */
  stop_reason?: string | null;
}

export interface WireError {
  type?: string;
  message?: string;
  /** llama-server, with `exceed_context_size_error`. */
  n_prompt_tokens?: number;
  n_ctx?: number;
}

/** The whole answer, and the `message` of `message_start`. */
export interface WireMessage {
  /** `message`; `error` in an error body. */
  type?: string;
  id?: string;
  model?: string;
  content?: WireBlock[];
  stop_reason?: string | null;
  usage?: WireUsage | null;
  error?: WireError | null;
  request_id?: string | null;
}

/** An event of the stream. `type` equals the event's name. */
export interface WireEvent {
  type?: string;
  message?: WireMessage;
  /** Of the block, over all kinds of blocks. */
  index?: number;
  content_block?: WireBlock;
  delta?: WireDelta;
  usage?: WireUsage | null;
  error?: WireError | null;
  request_id?: string | null;
}

/** An entry of `/v1/models`. Source: anthropic-sdk-typescript src/resources/models.ts, commit 018aed46, 2026. */
export interface WireModel {
  id?: string | null;
  display_name?: string | null;
  /** RFC 3339; the epoch when unknown. */
  created_at?: string | null;
  max_input_tokens?: number | null;
  max_tokens?: number | null;
}

export interface WireModelPage {
  data?: (WireModel | null)[] | null;
  has_more?: boolean | null;
  last_id?: string | null;
}
