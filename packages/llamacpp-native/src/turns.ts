import { AirframeError } from '@x/airframe';

/** Who may work, in the order of asking; at most so many at once. */
export class Turns {
  readonly #atOnce: number;
  #working = 0;
  #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /**
   * Waits for a turn; the function returned ends it.
   * @throws the signal's reason, when it fires first; the place in the queue is given up then
   */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#working < this.#atOnce) this.#working++;
    else await this.#queue(signal);
    let over = false;
    return () => {
      if (!over) this.#pass();
      over = true;
    };
  }

  /** Hands the turn that is over to the next in the queue. */
  #pass(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#working--;
  }

  #queue(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting = this.#waiting.filter(waiting => waiting !== enter);
        reject(AirframeError.from(signal.reason));
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(enter);
    });
  }
}

/**
 * Waits for promises, but only until a signal fires. One listener for any number of waits: racing each token
 * against one abort promise would pile up as many reactions on it.
 */
export class Interrupt {
  readonly #signal: AbortSignal;
  #reject: ((reason: unknown) => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#fire);
  }

  /** @throws the signal's reason; the promise goes on by itself then, and its failure is ignored */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      promise.then(resolve, reject);
      if (this.#signal.aborted) this.#fire();
    });
  }

  dispose(): void {
    this.#signal.removeEventListener('abort', this.#fire);
  }

  readonly #fire = (): void => this.#reject?.(this.#signal.reason);
}
