import type { WireError } from '../../wire-openai/errors.ts';

/**
 * Where Azure goes beyond the shapes of Chat Completions. Everything else is read by openai-chat: annotation frames
 * have `choices: []` or a choice without `delta`, and add only fields that it does not look at.
 * Sources: MicrosoftDocs/azure-ai-docs content-filter-annotations.md and content-streaming.md (2026-01-15).
 */
export interface WireAzureError extends WireError {
  /** A prompt that the filter blocked. The categories stand in one of the two; the docs spell it both ways. */
  innererror?: {
    code?: string | null;
    content_filter_result?: WireFilterResults | null;
    content_filter_results?: WireFilterResults | null;
  } | null;
}

/** By category; `error` instead means that the filter did not run, which is no failure of the call. */
type WireFilterResults = Record<string, { filtered?: boolean; severity?: string; detected?: boolean }>;

/** The answer of `/info` (ModelInference routes.tsp). */
export interface WireModelInfo {
  model_name?: string | null;
  model_provider_name?: string | null;
}
