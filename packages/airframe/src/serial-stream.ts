import type { InferenceStreamEvent } from './events.ts';

/** The events of one call. `return()` (a `break` in `for await`) stops the backend. */
export interface InferenceStream extends AsyncIterableIterator<InferenceStreamEvent, undefined, undefined> {
  /** The stream itself: it can be read once. */
  [Symbol.asyncIterator](): InferenceStream;
  /**
   * The event that `next()` would give at once; undefined: it would have to wait, or has to tell the end. For those
   * who pass a stream on, and would pay for a promise with every event that lies there already.
   */
  poll?(): InferenceStreamEvent | undefined;
}

/** What `next()` and `return()` give. */
export type Step = IteratorResult<InferenceStreamEvent, undefined>;

/** The step that tells that a stream is over. */
export const END: Step = { done: true, value: undefined };

/**
 * An event stream written by hand, not as an async generator: an event that waits costs no generator resume, and
 * `return()` works while a `next()` is pending (a generator would queue it until the backend speaks again).
 * Several `next()` calls at once are answered one after the other.
 */
export abstract class SerialStream implements InferenceStream {
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** The stream itself: it can be read once. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next event. Several calls at once are answered in their order. */
  next(): Promise<Step> {
    const step = this.#waiting === 0 ? this.ready() : undefined;
    if (step) return Promise.resolve(step);
    const answer = this.#waiting++ === 0 ? this.#pull() : this.#last.then(() => this.#pull());
    this.#last = answer;
    return answer;
  }

  poll(): InferenceStreamEvent | undefined {
    return this.isAwaited ? undefined : this.ready()?.value;
  }

  /** A `next()` is pending. */
  protected get isAwaited(): boolean {
    return this.#waiting > 0;
  }

  /** Ends the stream early, and stops what feeds it. */
  abstract return(): Promise<Step>;

  /** A step that can be given without waiting, if there is one. */
  protected abstract ready(): Step | undefined;

  /** The next step; never called while another call of it is pending. Never rejects. */
  protected abstract pull(): Promise<Step>;

  /** Resolves when no `next()` is pending any more. */
  protected async settled(): Promise<void> {
    await this.#last;
  }

  async #pull(): Promise<Step> {
    const step = this.ready() ?? (await this.pull());
    this.#waiting--;
    return step;
  }
}
