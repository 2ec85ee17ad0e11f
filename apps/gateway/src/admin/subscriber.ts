/** How a subscriber is reached. */
export interface Wire {
  /** @returns false: it has more unread than is good, and is to be left alone until {@link Subscriber.drained} */
  write(frames: string): boolean;
  /** No more will come. */
  end(): void;
}

/** One console that listens. While it does not keep up it gets nothing, and then all anew. */
export class Subscriber {
  readonly #wire: Wire;
  #full = false;
  #missed = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** It has been left out of something, and has read all else: it needs a fresh snapshot. */
  get isBehind(): boolean {
    return this.#missed && !this.#full;
  }

  /** It has not read what was written. */
  get isFull(): boolean {
    return this.#full;
  }

  send(frames: string): void {
    if (this.#full || this.#missed) this.#missed = true;
    else this.#full = !this.#wire.write(frames);
  }

  /** A snapshot makes up for whatever it missed. */
  sendAll(snapshot: string): void {
    this.#missed = false;
    this.#full = !this.#wire.write(snapshot);
  }

  /** It has read all that was written. */
  drained(): void {
    this.#full = false;
  }

  end(): void {
    this.#wire.end();
  }
}
