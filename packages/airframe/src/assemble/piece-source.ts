/** Told of a read: that something was read, or that all is over, and why where it is no good end. */
export type Told = (done: boolean, error?: unknown) => void;

/** Names what no other iterable has. */
export const readPieces: unique symbol = Symbol('readPieces');

/** What feeds a reply: it tells by a call, and not by a promise for each piece, when it has written into it. */
export interface PieceSource {
  /** Reads on; `told` is called once, at once or later. Never called while another read is open. */
  [readPieces](told: Told): void;
  /** Ends it. @returns what is to be waited for; undefined: nothing */
  close(): Promise<unknown> | undefined;
}

/** What an adapter's `infer` gives, as a source. */
export function pieceSourceOf(pieces: AsyncIterable<void>): PieceSource {
  return isPieceSource(pieces) ? pieces : new IteratedSource(pieces[Symbol.asyncIterator]());
}

function isPieceSource(pieces: AsyncIterable<void>): pieces is AsyncIterable<void> & PieceSource {
  return readPieces in pieces;
}

class IteratedSource implements PieceSource {
  readonly #iterator: AsyncIterator<void>;

  constructor(iterator: AsyncIterator<void>) {
    this.#iterator = iterator;
  }

  [readPieces](told: Told): void {
    void this.#read(told);
  }

  async #read(told: Told): Promise<void> {
    let done = true;
    try {
      done = (await this.#iterator.next()).done === true;
    } catch (error) {
      told(true, error ?? new Error('no reason given'));
      return;
    }
    told(done);
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
