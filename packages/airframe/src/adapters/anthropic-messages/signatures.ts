/**
 * What {@link ReasoningPart.signature} holds for this API. Thinking has to go back unmodified and in its place among
 * the blocks of the turn, or the API answers 400 "thinking blocks in the latest assistant message cannot be modified"
 * (BerriAI/litellm#23047, 2026-03), but a message keeps its thinking, text and tool calls apart: so the place is in here.
 */
export interface Signature {
  /** `redacted`: `value` is the whole block, as ciphertext. */
  kind: 'signed' | 'redacted';
  value: string;
  /** Characters of the turn's text before the block. */
  chars: number;
  /** Tool calls of the turn before the block. */
  calls: number;
}

const PREFIXES: Record<Signature['kind'], string> = { signed: 'anthropic', redacted: 'anthropic-redacted' };

export function encodeSignature({ kind, value, chars, calls }: Signature): string {
  return `${PREFIXES[kind]}:${chars}.${calls}:${value}`;
}

/** @returns undefined for a signature that another adapter made */
export function decodeSignature(signature: string | undefined): Signature | undefined {
  const [, redacted, chars, calls, value] =
    /^anthropic(-redacted)?:(\d+)\.(\d+):(.+)$/s.exec(signature ?? '') ?? [];
  if (value === undefined) return undefined;
  return { kind: redacted ? 'redacted' : 'signed', value, chars: Number(chars), calls: Number(calls) };
}
