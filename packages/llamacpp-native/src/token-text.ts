/** How a vocabulary writes bytes and spaces: each byte as a printable character, or spaces as U+2581. */
export type TokenSpelling = 'byte-level' | 'spaces-marked';

/** What sort of token it is. `control` stands for unknown tokens as well: neither has text. */
export type TokenClass = 'normal' | 'user-defined' | 'byte' | 'control';

const encoder = new TextEncoder();
const EMPTY = new Uint8Array();
const BYTE_OF_CHAR = byteLevelAlphabet();

/**
 * The bytes a token stands for, as llama.cpp's `token_to_piece` gives them and llama-server sends them. Its
 * `detokenize`, which the binding offers, is something else: it drops a leading space and, with many BPE
 * vocabularies, the space before punctuation; and it yields text, where a token may hold half a character.
 */
export function tokenBytes(spelling: TokenSpelling, sort: TokenClass, text: string): Uint8Array {
  if (sort === 'control') return EMPTY;
  if (sort === 'user-defined') return encoder.encode(text);
  if (sort === 'byte') {
    const hex = /^<0x([0-9A-Fa-f]{2})>$/.exec(text)?.[1];
    if (hex !== undefined) return Uint8Array.of(Number.parseInt(hex, 16));
  }
  if (spelling === 'spaces-marked') return encoder.encode(text.replaceAll('\u2581', ' '));
  const bytes: number[] = [];
  for (const char of text) {
    const byte = BYTE_OF_CHAR.get(char);
    if (byte !== undefined) bytes.push(byte);
    else bytes.push(...encoder.encode(char));
  }
  return Uint8Array.from(bytes);
}

/** Joins the bytes of tokens into text. A character whose bytes are not all there yet is held back. */
export class TokenText<Token = number> {
  readonly #bytesOf: (token: Token) => Uint8Array;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(bytesOf: (token: Token) => Uint8Array) {
    this.#bytesOf = bytesOf;
  }

  push(token: Token): string {
    return this.#decoder.decode(this.#bytesOf(token), { stream: true });
  }
}

/** GPT-2's alphabet: printable bytes stand for themselves, the others for U+0100 and up, in order. */
function byteLevelAlphabet(): Map<string, number> {
  const alphabet = new Map<string, number>();
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  for (let byte = 0; byte < 0x100; byte++) {
    alphabet.set(String.fromCharCode(printable(byte) ? byte : next++), byte);
  }
  return alphabet;
}
