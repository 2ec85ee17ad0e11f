import type { Answered, Piece } from './response.ts';

interface Landed {
  answered: Answered;
  savedUsd: number;
}

/** An answer on its way, for those who asked the same in the meantime. */
export class Flight {
  readonly #pieces: Piece[] = [];
  readonly #waiting = new Set<() => void>();
  #landed: Landed | undefined;
  #closed = false;
  #error: unknown;

  /** Why there is no answer. */
  get error(): unknown {
    return this.#error;
  }

  get lastPiece(): Piece | undefined {
    return this.#pieces.at(-1);
  }

  push(piece: Piece): void {
    this.#pieces.push(piece);
    this.#wake();
  }

  /** @param costUsd what the answer cost, and those who share it save */
  land(answered: Answered, costUsd: number): void {
    this.#landed = { answered, savedUsd: costUsd };
    this.#wake();
  }

  /** Nothing more comes. The first reason counts. */
  close(error?: unknown): void {
    this.#error ??= error;
    this.#closed = true;
    this.#wake();
  }

  /**
   * All pieces from the first one on, as they come; returns undefined when there will be no answer.
   * @throws the signal's reason when it fires
   */
  async *follow(signal: AbortSignal): AsyncGenerator<Piece, Landed | undefined, undefined> {
    for (let at = 0; ; ) {
      const piece = this.#pieces[at];
      if (piece) {
        at++;
        yield piece;
      } else if (this.#landed) return this.#landed;
      else if (this.#closed) return undefined;
      else await this.#change(signal);
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(wake);
        reject(signal.reason);
      };
      const wake = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      if (signal.aborted) return onAbort();
      this.#waiting.add(wake);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
