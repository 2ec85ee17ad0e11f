import type { CallSignal, InferOptions } from '@x/airframe';

/**
 * Fires once, when the caller of a call goes. An AbortSignal would do as well, but costs more than all else that is made
 * for a call; those who want one can listen to this as to one.
 */
export class Leaving implements CallSignal {
  #aborted = false;
  readonly #listeners: (() => void)[] = [];
  #controller: AbortController | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    for (const listener of this.#listeners.splice(0)) listener();
    this.#controller?.abort();
  }

  /** Made for those who take nothing else. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  addEventListener(_type: 'abort', listener: () => void, _options?: { once?: boolean }): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }
}

const SIGNAL = {
  get(this: { ending: Leaving }): AbortSignal {
    return this.ending.signal;
  },
  enumerable: true,
};

/** Options of a call that ends with this: by `ending` for those who know it, by a `signal` that is made when it is asked for. */
export function endingBy<Options extends InferOptions>(options: Options, ending: Leaving): Options {
  options.ending = ending;
  return Object.defineProperty(options, 'signal', SIGNAL);
}
