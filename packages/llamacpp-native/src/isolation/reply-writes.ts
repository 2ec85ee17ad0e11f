import type { Reply } from '@x/airframe';

/** All that a definition's `infer` may write. */
const WRITERS = [
  'text',
  'reasoning',
  'toolCall',
  'usage',
  'timings',
  'identify',
  'rateLimits',
  'finish',
] as const;

type Writer = (typeof WRITERS)[number];

/** A call of one of the writers: its name and what it was given. */
export type Write = { [W in Writer]: [writer: W, ...given: Parameters<Reply[W]>] }[Writer];

/**
 * Has everything that is written into a reply told as well. The events of a stream are less than that: they tell the
 * usage only at its end, when the reader who left can no longer hear it.
 */
export function recordWrites(reply: Reply, tell: (write: Write) => void): void {
  for (const writer of WRITERS) {
    const write = reply[writer] as (...given: unknown[]) => void;
    const recorded = (...given: unknown[]) => {
      write.apply(reply, given);
      tell([writer, ...given] as Write);
    };
    Object.assign(reply, { [writer]: recorded });
  }
}

/** Writes into a reply what was written into another one. */
export function replay(writes: readonly Write[], reply: Reply): void {
  for (const [writer, ...given] of writes) {
    (reply[writer] as (...given: unknown[]) => void).apply(reply, given);
  }
}
