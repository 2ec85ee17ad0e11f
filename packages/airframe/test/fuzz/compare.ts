import { type SseEvent, SseParser } from '../../src/transport/sse.ts';
import type { Random } from './random-stream.ts';
import { referenceEvents } from './reference.ts';

/** How the n-th stream is cut: now whole, now into single bytes, now anywhere. @returns the length of each piece */
export function cutsOf(index: number, bytes: Uint8Array, random: Random): () => number {
  if (index % 20 === 0) return () => 1;
  return index % 2 === 0 ? () => bytes.length : () => 1 + random.below(bytes.length);
}

/**
 * Reads a stream in pieces, and as the standard says.
 * @param size gives the length of each piece
 * @returns the difference; undefined: there is none
 */
export function differenceIn(bytes: Uint8Array, size: () => number): string | undefined {
  const expected = inOneLine(referenceEvents(bytes));
  const actual = parse(bytes, size);
  if (actual === expected) return undefined;
  const [stream, gave, instead] = [Buffer.from(bytes).toString('latin1'), actual, expected].map(text =>
    JSON.stringify(text),
  );
  return `in Latin-1 ${stream}, gave ${gave} instead of ${instead}`;
}

function parse(bytes: Uint8Array, size: () => number): string {
  const parser = new SseParser();
  let events = '';
  const take = (event: SseEvent) => {
    events += inOneLine([event]);
  };
  for (let from = 0; from < bytes.length; ) {
    const to = from + size();
    parser.feed(bytes.subarray(from, to), take);
    from = to;
  }
  parser.end(take);
  return events;
}

function inOneLine(events: SseEvent[]): string {
  let line = '';
  for (const { data, event } of events) line += `${event ?? ''}\u0001${data}\u0002`;
  return line;
}
