import { createParser } from 'eventsource-parser';
import { AirframeError } from '../errors.ts';

export interface SseEvent {
  /** The `data:` lines, joined by newlines. */
  data: string;
  /** The `event:` name; absent when the event has none. */
  event?: string | undefined;
}

/** Longest event accepted, in characters. Images inside a reply fit; a server gone mad does not. */
export const MAX_EVENT_CHARS: number = 16 * 1024 * 1024;

/** Bytes in, events out. Bounded: an event over the limit is a `parse` error, not a full memory. */
export class SseParser {
  #events: SseEvent[] = [];
  #error: AirframeError | undefined;
  readonly #decoder = new TextDecoder();
  readonly #parser: ReturnType<typeof createParser>;

  constructor(maxEventChars: number = MAX_EVENT_CHARS) {
    this.#parser = createParser({
      maxBufferSize: maxEventChars,
      onEvent: event => this.#events.push(event),
      onError: error => {
        if (error.type !== 'max-buffer-size-exceeded') return;
        this.#error = new AirframeError(
          'parse',
          `the backend sent an event of over ${maxEventChars} characters`,
        );
      },
    });
  }

  /**
   * @returns the events completed by these bytes; often none
   * @throws AirframeError (parse) for an event over the limit
   */
  feed(bytes: Uint8Array): SseEvent[] {
    this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
    return this.#take();
  }

  /** Call at the end of the stream: a last event that lacks its empty line still counts. */
  end(): SseEvent[] {
    this.#parser.feed(`${this.#decoder.decode()}\n\n`);
    return this.#take();
  }

  #take(): SseEvent[] {
    if (this.#error) throw this.#error;
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }
}
