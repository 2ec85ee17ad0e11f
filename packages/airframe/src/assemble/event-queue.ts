import type { InferenceStreamEvent } from '../events.ts';

/** Events on their way from the reader to the consumer. Its storage stays as it is emptied: a reply fills it anew with each read. */
export class EventQueue {
  readonly #events: (InferenceStreamEvent | undefined)[] = [];
  #read = 0;
  #written = 0;

  push(event: InferenceStreamEvent): void {
    this.#events[this.#written++] = event;
  }

  /** The oldest event, which is let go; undefined when there is none. */
  take(): InferenceStreamEvent | undefined {
    if (this.#read === this.#written) return undefined;
    const event = this.#events[this.#read];
    this.#events[this.#read++] = undefined;
    if (this.#read === this.#written) this.#read = this.#written = 0;
    return event;
  }
}
