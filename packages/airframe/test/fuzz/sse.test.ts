import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MAX_EVENT_CHARS, SseParser } from '../../src/transport/sse.ts';
import { cutsOf, differenceIn } from './compare.ts';
import { Random, RandomStreams } from './random-stream.ts';

const SEED = Number(process.env['AIRFRAME_FUZZ_SEED'] ?? Date.now() % 2 ** 32);
const STREAMS = 1_000_000;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Bytes in use, what lies outside the heap among them. */
function memory(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const MB = 1024 * 1024;

describe(`SseParser, AIRFRAME_FUZZ_SEED=${SEED}`, () => {
  it(`reads ${STREAMS} random streams as the standard says, however they are cut`, {
    timeout: 300_000,
  }, () => {
    // An error made for a line that means nothing costs most of its time on a stack that nobody reads.
    const { stackTraceLimit } = Error;
    onTestFinished(() => {
      Error.stackTraceLimit = stackTraceLimit;
    });
    Error.stackTraceLimit = 0;
    const random = new Random(SEED);
    const streams = new RandomStreams(random);
    let before = 0;
    for (let index = 0; index < STREAMS; index++) {
      if (index === STREAMS / 10) before = memory();
      const bytes = streams.next();
      const difference = differenceIn(bytes, cutsOf(index, bytes, random));
      if (difference) expect.fail(`stream ${index} of AIRFRAME_FUZZ_SEED=${SEED}, ${difference}`);
    }
    expect(memory() - before).toBeLessThan(5 * MB);
  });

  describe.each(Object.keys(ENDLESS))('fed with an event that never ends, %s', name => {
    const { begin, more, refused } = ENDLESS[name] as Endless;

    it('refuses it at its bound', () => {
      const size = feedUntilRefused(new SseParser(10_000), begin, more.subarray(0, 90), 100_000);
      if (refused) expect(size).toBeLessThanOrEqual(11_000);
    });

    it('keeps its memory flat over a gigabyte, or up to where it refuses', { timeout: 120_000 }, () => {
      const parser = new SseParser();
      const before = memory();
      const size = feedUntilRefused(parser, begin, more, 1024 * MB, () =>
        expect(memory() - before).toBeLessThan(80 * MB),
      );
      if (refused) expect(size).toBeLessThanOrEqual(2 * MAX_EVENT_CHARS);
    });
  });
});

interface Endless {
  begin: Uint8Array;
  more: Uint8Array;
  /** It has to be refused; else it may be left out as well. */
  refused?: true;
}

const encode = (text: string) => new TextEncoder().encode(text);
const ENDLESS: Record<string, Endless> = {
  'one line of data': { begin: encode('data: '), more: new Uint8Array(MB).fill(0x78), refused: true },
  'data in many lines': {
    begin: encode('data: x'),
    more: encode(`\ndata: ${'x'.repeat(83)}`.repeat(10_000)),
    refused: true,
  },
  'its name': { begin: encode('event: '), more: new Uint8Array(MB).fill(0x78) },
  'a comment': { begin: encode(':'), more: new Uint8Array(MB).fill(0x78) },
  'a field without a colon': { begin: encode('d'), more: new Uint8Array(MB).fill(0x78) },
  'bytes that are no UTF-8': { begin: encode('data: '), more: new Uint8Array(MB).fill(0xff), refused: true },
};

/** @returns the bytes that were taken before one was too many */
function feedUntilRefused(
  parser: SseParser,
  begin: Uint8Array,
  more: Uint8Array,
  limit: number,
  look: () => void = () => {},
): number {
  let size = 0;
  for (let next = begin; size < limit; next = more) {
    try {
      parser.feed(next, () => expect.fail('an event that has no end was given out'));
    } catch (error) {
      const message = expect.stringMatching(/event of over \d+ char/);
      expect(error).toMatchObject({ category: 'parse', message });
      break;
    }
    size += next.length;
    if (size % (32 * MB) < next.length) look();
  }
  look();
  return size;
}
