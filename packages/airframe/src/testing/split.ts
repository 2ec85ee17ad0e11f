import { randomFrom } from './random.ts';

/**
 * Where a replayed body is cut into chunks: where it was when it was recorded, after each byte, or at random places
 * that are the same for the same seed.
 */
export type Split = 'recorded' | 'bytes' | { seed: number };

/** A piece of a body, and when it may be read, in milliseconds since the request. */
export interface Piece {
  atMs: number;
  bytes: Uint8Array;
}

/** Longest random piece, in bytes. */
const MAX_PIECE = 64;

/** The same bytes, cut anew. A piece comes when the chunk comes that its last byte was in. */
export function resplit(chunks: readonly Piece[], split: Split): Piece[] {
  if (split === 'recorded') return [...chunks];
  if (split === 'bytes') {
    return chunks.flatMap(({ atMs, bytes }) =>
      Array.from(bytes, (_, at) => ({ atMs, bytes: bytes.subarray(at, at + 1) })),
    );
  }
  const random = randomFrom(split.seed);
  const body = Buffer.concat(chunks.map(({ bytes }) => bytes));
  const times = chunks.flatMap(({ atMs, bytes }) => Array.from(bytes, () => atMs));
  const pieces: Piece[] = [];
  for (let at = 0; at < body.length; ) {
    const end = Math.min(body.length, at + 1 + Math.floor(random() * MAX_PIECE));
    pieces.push({ atMs: times[end - 1] ?? 0, bytes: body.subarray(at, end) });
    at = end;
  }
  return pieces;
}
