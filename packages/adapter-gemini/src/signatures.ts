/**
 * What `signature` of a reasoning part or a tool call holds for this API. The API signs parts of any kind, wants each
 * signature back on its part, and says not to merge signed parts with others (ai.google.dev "Thought signatures",
 * 2026); Gemini 3 answers 400 for a function call that has lost its own. A message keeps its text in one piece and its
 * reasoning and tool calls apart: so the place is in here.
 */
export interface Signature {
  /** Of which kind the signed part is. A signature of `text` is kept at a reasoning part, which it does not sign. */
  kind: 'thought' | 'text' | 'call';
  value: string;
  /** Characters of the reply's text before the part. */
  chars: number;
  /** Characters of the part, when it is text. */
  length: number;
  /** Tool calls of the reply before the part. */
  calls: number;
}

export function encodeSignature({ kind, value, chars, length, calls }: Signature): string {
  return `gemini-${kind}:${chars}.${length}.${calls}:${value}`;
}

/** @returns undefined for a signature that another adapter made */
export function decodeSignature(signature: string | undefined): Signature | undefined {
  const [, kind, chars, length, calls, value] =
    /^gemini-(thought|text|call):(\d+)\.(\d+)\.(\d+):(.+)$/s.exec(signature ?? '') ?? [];
  if (value === undefined) return undefined;
  return {
    kind: kind as Signature['kind'],
    value,
    chars: Number(chars),
    length: Number(length),
    calls: Number(calls),
  };
}
