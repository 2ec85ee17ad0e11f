import type { WireReasoningDetail, WireToolCall } from './wire.ts';

/**
 * What a backend wants back with a piece of thinking or a tool call travels as JSON in `signature`; a signature that
 * another adapter made is told apart by its shape and left out.
 */

/** The detail without its text, which stands in the part; undefined when nothing is left that matters. */
export function signatureOfDetail(detail: WireReasoningDetail): string | undefined {
  const { text: _text, summary: _summary, ...rest } = detail;
  return rest.signature || rest.data ? JSON.stringify(rest) : undefined;
}

export function detailOf(signature: string | undefined): WireReasoningDetail | undefined {
  const value = parsedObject(signature);
  return String(value?.['type']).startsWith('reasoning.') ? value : undefined;
}

export function signatureOfCall({ extra_content }: WireToolCall): string | undefined {
  return extra_content ? JSON.stringify({ extra_content }) : undefined;
}

export function callExtrasOf(signature: string | undefined): object {
  const value = parsedObject(signature);
  return value?.['extra_content'] ? { extra_content: value['extra_content'] } : {};
}

function parsedObject(text: string | undefined): Record<string, unknown> | undefined {
  if (!text?.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
