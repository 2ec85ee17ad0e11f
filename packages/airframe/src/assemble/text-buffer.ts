/** Pieces kept apart until so many have come. */
const MAX_PIECES = 64;

/**
 * A text that grows by small pieces. `+=` would keep every piece alive until the end of the stream, and the garbage
 * collector would copy them again and again: joined by the dozen they live a moment only.
 */
export class TextBuffer {
  readonly #pieces: string[] = [];
  #count = 0;
  readonly #joined: string[] = [];

  add(piece: string): void {
    // Written over, not emptied: an array that is emptied has to grow again.
    this.#pieces[this.#count++] = piece;
    if (this.#count < MAX_PIECES) return;
    this.#joined.push(this.#pieces.join(''));
    this.#count = 0;
  }

  toString(): string {
    return this.#joined.join('') + this.#pieces.slice(0, this.#count).join('');
  }
}
