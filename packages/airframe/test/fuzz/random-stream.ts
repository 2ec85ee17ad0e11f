/** Numbers from 0 up to, not including, the bound; the same seed gives the same ones (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}

const encoder = new TextEncoder();
const encoded = (...texts: string[]) => texts.map(text => encoder.encode(text));

/** What stands more than once comes more often. */
const FIELDS = encoded(
  'data',
  'data',
  'data',
  'data',
  'event',
  'id',
  'retry',
  '',
  '',
  'foo',
  'dat',
  'DATA',
  'data ',
  ' data',
  'data\0',
  'é',
  'event2',
);
const COLONS = encoded(': ', ': ', ':', ':', ':  ', '', '::', ' :');
const LINE_ENDS = encoded(
  '\n',
  '\n',
  '\n',
  '\r\n',
  '\r',
  '\n\n',
  '\n\n',
  '\r\n\r\n',
  '\r\r',
  '\n\r',
  '\r\n\n',
);
const VALUES = [
  ...encoded(
    '',
    '',
    'a',
    'x y',
    '{"choices":[{"index":0,"delta":{"content":"Hi"}}]}',
    '[DONE]',
    '12',
    '1\0',
    ' ',
    ':',
    'data: a',
  ),
  ...encoded('é€😀', '\ufeff', '\u2028', '\u0085', '\v\f\t', '\ud7ff\ue000\uffff\u{10ffff}'),
  // Broken UTF-8: stray, cut, overlong, a surrogate, beyond the last code point.
  ...[
    [0xff],
    [0x80],
    [0xc3],
    [0xe2, 0x82],
    [0xf0, 0x9f, 0x98],
    [0xc0, 0xaf],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
  ].map(bytes => Uint8Array.from(bytes)),
];
const BOM = Uint8Array.of(0xef, 0xbb, 0xbf);
const LONG = encoder.encode('0123456789é'.repeat(1_000));

/** Makes streams that are mostly like SSE, and sometimes not at all. */
export class RandomStreams {
  readonly #random: Random;
  readonly #buffer = new Uint8Array(64 * 1024);
  #length = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A stream of a few lines; the memory is used again for the next. */
  next(): Uint8Array {
    const random = this.#random;
    this.#length = 0;
    if (random.below(16) === 0) this.#put(BOM);
    if (random.below(64) === 0) this.#put(BOM);
    for (let lines = random.below(7); lines >= 0; lines--) {
      if (random.below(32) === 0) this.#noise();
      this.#put(random.of(FIELDS));
      this.#put(random.of(COLONS));
      this.#put(random.of(VALUES));
      if (random.below(3) === 0) this.#put(random.of(VALUES));
      if (random.below(2_000) === 0) this.#put(LONG.subarray(random.below(LONG.length)));
      if (random.below(8) > 0 || lines > 0) this.#put(random.of(LINE_ENDS));
    }
    return this.#buffer.subarray(0, this.#length);
  }

  #put(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #noise(): void {
    for (let count = this.#random.below(12); count > 0; count--)
      this.#buffer[this.#length++] = this.#random.below(256);
  }
}
