/**
 * The Gemini API's shapes, as far as they are read; everything may be missing, and so may every zero and empty list.
 * What a proxy may fill with null says so.
 * Source: googleapis/googleapis google/ai/generativelanguage/v1beta/{generative_service,content,model}.proto, commit
 * f8291d2b, 2026-08-22; googleapis/js-genai 2.18.0 src/types.ts, commit 6e9b35c4, 2026-08-21 (`thinkingLevel`,
 * `serviceTier`); ai.google.dev "Thought signatures" and "Function calling", 2026.
 */

/** Parameters of `generateContent` beyond the common ones; sent as they are, over what the common ones say. */
export interface GeminiExtra {
  /** Joins the request's own field by field. */
  generationConfig?: {
    topK?: number;
    presencePenalty?: number;
    frequencyPenalty?: number;
    /** The API takes one of the two. */
    thinkingConfig?: { thinkingBudget?: number; thinkingLevel?: string; includeThoughts?: boolean };
    [parameter: string]: unknown;
  };
  safetySettings?: { category: string; threshold: string }[];
  /** `cachedContents/…`; the cache then holds system messages and tools, and the request must have none. */
  cachedContent?: string;
  /** Added to the request's own: `{ googleSearch: {} }`, `{ codeExecution: {} }`. */
  tools?: Record<string, unknown>[];
  [parameter: string]: unknown;
}

/** A piece of a turn: one of the kinds, and what stands beside it. */
export interface WirePart {
  text?: string | null;
  /** `text` is a summary of the model's thinking. */
  thought?: boolean;
  /** Opaque; the API wants it back on the same part. */
  thoughtSignature?: string | null;
  inlineData?: { mimeType: string; data: string };
  fileData?: { fileUri: string };
  /** Always whole, also in a stream. Models before Gemini 3 give no id. */
  functionCall?: { id?: string | null; name?: string; args?: object | null } | null;
  functionResponse?: { id: string; name: string; response: object };
}

export interface WireContent {
  role?: string;
  parts?: WirePart[] | null;
}

/** Cumulative: that of a later chunk replaces that of an earlier one. */
export interface WireUsage {
  /** Cached tokens included. */
  promptTokenCount?: number;
  cachedContentTokenCount?: number;
  /** What the API's own tools fed to the model; not in `promptTokenCount`. */
  toolUsePromptTokenCount?: number;
  /** Thoughts not included. */
  candidatesTokenCount?: number;
  thoughtsTokenCount?: number;
}

export interface WireCandidate {
  index?: number;
  content?: WireContent | null;
  /** Absent until the reply has ended. */
  finishReason?: string | null;
  finishMessage?: string;
}

/** The whole answer, and each event of a stream. The stream has no end marker but the end of the body. */
export interface WireResponse {
  candidates?: WireCandidate[] | null;
  /** With a `blockReason` there are no candidates. */
  promptFeedback?: { blockReason?: string | null } | null;
  usageMetadata?: WireUsage | null;
  modelVersion?: string;
  responseId?: string;
  error?: WireError | null;
}

/** google.rpc.Status. */
export interface WireError {
  /** The HTTP status. */
  code?: number;
  message?: string;
  /** The name of the gRPC code: `RESOURCE_EXHAUSTED`. */
  status?: string;
  details?: WireErrorDetail[] | null;
}

/** Over all types of details: the fields that are read. */
export interface WireErrorDetail {
  /** google.rpc.ErrorInfo: `API_KEY_INVALID`. */
  reason?: string;
  /** google.rpc.RetryInfo: seconds with an `s`, `34.07s`. */
  retryDelay?: string;
  /** google.rpc.QuotaFailure: `GenerateRequestsPerDayPerProjectPerModel-FreeTier`. */
  violations?: { quotaId?: string }[];
}

/** An entry of `GET /models`. */
export interface WireModel {
  /** `models/…`. */
  name?: string;
  displayName?: string;
  inputTokenLimit?: number;
  outputTokenLimit?: number;
}
