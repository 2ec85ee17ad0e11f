import type { Answered, Piece } from './response.ts';

interface Landed {
  answered: Answered;
  savedUsd: number;
}

/** How far an answer may run ahead of the fastest of those who read it, in characters. */
const MAX_AHEAD_CHARS = 256 * 1024;

/** An answer on its way, for those who asked the same in the meantime. */
export class Flight {
  readonly #pieces: Piece[] = [];
  readonly #waiting = new Set<() => void>();
  #pushedChars = 0;
  /** By the fastest reader. */
  #readChars = 0;
  #onRoom: (() => void) | undefined;
  #isPaced = true;
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
    this.#pushedChars += sizeOf(piece);
    this.#wake();
  }

  /** What to wait for before more is pushed: what nobody reads need not be held. undefined: nothing. */
  room(): Promise<void> | undefined {
    if (this.#hasRoom) return undefined;
    return new Promise(resolve => {
      this.#onRoom = resolve;
    });
  }

  /** Waits for no reader any more. */
  unpace(): void {
    this.#isPaced = false;
    this.#onRoom?.();
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
    let chars = 0;
    for (let at = 0; ; ) {
      const piece = this.#pieces[at];
      if (piece) {
        at++;
        yield piece;
        chars += sizeOf(piece);
        this.#read(chars);
      } else if (this.#landed) return this.#landed;
      else if (this.#closed) return undefined;
      else await this.#change(signal);
    }
  }

  get #hasRoom(): boolean {
    return !this.#isPaced || this.#pushedChars - this.#readChars <= MAX_AHEAD_CHARS;
  }

  #read(chars: number): void {
    if (chars <= this.#readChars) return;
    this.#readChars = chars;
    if (this.#hasRoom) this.#onRoom?.();
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

function sizeOf({ text, event }: Piece): number {
  if (event === undefined) return text.length;
  switch (event.type) {
    case 'reasoning':
      return event.text.length;
    case 'tool_call_delta':
      return event.argumentsDelta.length;
    case 'tool_call':
      return event.call.arguments.length;
  }
}
