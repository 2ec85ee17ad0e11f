/** Told of a read: that something was read, or that all is over, and why where it is no good end. */
export type Told = (done: boolean, error?: unknown) => void;

/** What feeds a reply: it tells by a call, and not by a promise for each piece, when it has written into it. */
export interface PieceSource {
  /** Reads on; `told` is called once, at once or later. Never called while another read is open. */
  read(told: Told): void;
  /** Ends it. @returns what is to be waited for; undefined: nothing */
  close(): Promise<unknown> | undefined;
}

/** What an adapter's `infer` gives, as a source. */
export function pieceSourceOf(pieces: AsyncIterable<void>): PieceSource {
  return isPieceSource(pieces) ? pieces : new IteratedSource(pieces[Symbol.asyncIterator]());
}

function isPieceSource(pieces: AsyncIterable<void>): pieces is AsyncIterable<void> & PieceSource {
  return 'read' in pieces && 'close' in pieces;
}

class IteratedSource implements PieceSource {
  readonly #iterator: AsyncIterator<void>;

  constructor(iterator: AsyncIterator<void>) {
    this.#iterator = iterator;
  }

  read(told: Told): void {
    this.#iterator.next().then(
      ({ done }) => told(done === true),
      error => told(true, error ?? new Error('no reason given')),
    );
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
