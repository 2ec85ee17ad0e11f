/** Pieces kept apart until so many have come. */
const MAX_PIECES = 64;

/**
 * A text that grows by small pieces. `+=` would keep every piece alive until the end of the stream, and the garbage
 * collector would copy them again and again: joined by the dozen they live a moment only.
 */
export class TextBuffer {
  readonly #pieces: string[] = [];
  readonly #joined: string[] = [];

  add(piece: string): void {
    if (this.#pieces.push(piece) === MAX_PIECES) {
      this.#joined.push(this.#pieces.join(''));
      this.#pieces.length = 0;
    }
  }

  toString(): string {
    return this.#joined.join('') + this.#pieces.join('');
  }
}
