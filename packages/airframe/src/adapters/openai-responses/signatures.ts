import type { WireItem } from './wire.ts';

/**
 * What {@link ReasoningPart.signature} holds for this API: the reasoning item as it came, and its place. It has to go
 * back unchanged and ahead of what it led to, but a message keeps its thinking, text and tool calls apart.
 */
export interface Signature {
  item: WireItem;
  /** Characters of the turn's text before the item. */
  chars: number;
  /** Tool calls of the turn before the item. */
  calls: number;
}

export function encodeSignature({ item, chars, calls }: Signature): string {
  return `openai-responses:${chars}.${calls}:${JSON.stringify(item)}`;
}

/** @returns undefined for a signature that another adapter made */
export function decodeSignature(signature: string | undefined): Signature | undefined {
  const [, chars, calls, json] = /^openai-responses:(\d+)\.(\d+):(\{.*\})$/s.exec(signature ?? '') ?? [];
  if (json === undefined) return undefined;
  try {
    return { item: JSON.parse(json) as WireItem, chars: Number(chars), calls: Number(calls) };
  } catch {
    return undefined;
  }
}
