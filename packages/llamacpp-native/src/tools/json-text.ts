/** Characters and escapes that are whole: the first half of a surrogate pair is not until it is known what follows. */
const WHOLE =
  /(?:[^\\]+|\\[^u]|\\u(?![dD][89abAB])[\da-fA-F]{4}|\\u[dD][89abAB][\da-fA-F]{2}(?:\\u[\da-fA-F]{4}|(?=[^\\]|\\[^u])))*/y;

const ESCAPED = /\\(?:u([\da-fA-F]{4})|(.))/g;

const CONTROLS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** Decodes the inside of a JSON string that comes in pieces. What is no character by itself becomes U+FFFD. */
export class JsonText {
  /** An escape that is not whole yet. */
  #held = '';

  /** @returns the text of what is whole now */
  push(piece: string): string {
    const raw = this.#held + piece;
    WHOLE.lastIndex = 0;
    const whole = WHOLE.exec(raw)?.[0] ?? '';
    this.#held = raw.slice(whole.length);
    return decoded(whole);
  }

  /** Nothing follows: what is still held back is half of something, or half of a pair. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return /^\\u[\da-fA-F]{4}/.test(rest) ? '\ufffd' : '';
  }
}

function decoded(raw: string): string {
  if (!raw.includes('\\')) return raw;
  return raw
    .replace(ESCAPED, (_, hex: string | undefined, char: string) =>
      hex === undefined ? (CONTROLS[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
    )
    .replace(/\p{Surrogate}/gu, '\ufffd');
}
