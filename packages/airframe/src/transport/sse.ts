import { Buffer, isAscii } from 'node:buffer';
import { createParser } from 'eventsource-parser';
import { AirframeError } from '../errors.ts';

/** One event of a `text/event-stream`. */
export interface SseEvent {
  /** The `data:` lines, joined by newlines. */
  data: string;
  /** The `event:` name; absent when the event has none. */
  event?: string | undefined;
}

/** Longest event accepted, in characters. Images inside a reply fit; a server gone mad does not. */
export const MAX_EVENT_CHARS: number = 16 * 1024 * 1024;

/** How much is kept of lines that are no field of an event, in characters. */
const MAX_STRAY_CHARS = 64 * 1024;

const BOM = '\uFEFF';

/** Bytes in, events out. Bounded: an event over the limit is a `parse` error, not a full memory. */
export class SseParser {
  #take: (event: SseEvent) => void = () => {};
  #error: AirframeError | undefined;
  /** The lines that are no field of an event. */
  #stray = '';
  readonly #text = new Utf8Text();
  readonly #parser: ReturnType<typeof createParser>;

  constructor(maxEventChars: number = MAX_EVENT_CHARS) {
    this.#parser = createParser({
      maxBufferSize: maxEventChars,
      onEvent: event => this.#take(event),
      onError: error => {
        if (error.type === 'unknown-field' && this.#stray.length < MAX_STRAY_CHARS) {
          this.#stray += `${error.line ?? ''}\n`;
        }
        if (error.type !== 'max-buffer-size-exceeded') return;
        this.#error = new AirframeError(
          'parse',
          `the backend sent an event of over ${maxEventChars} characters`,
        );
      },
    });
  }

  /**
   * @param take gets each event completed by these bytes, often none; what it throws goes through, and ends the parsing
   * @throws AirframeError (parse) for an event over the limit, and for whatever comes after it
   */
  feed(bytes: Uint8Array, take: (event: SseEvent) => void): void {
    this.#feed(this.#text.decode(bytes), take);
  }

  /** Call at the end of the stream: a last event that lacks its empty line still counts. */
  end(take: (event: SseEvent) => void): void {
    this.#feed(`${this.#text.end()}\n\n`, take);
  }

  /**
   * JSON that was written into the stream as it is, with no field's name in front; undefined without any. Gemini reports
   * errors in mid-stream that way (theopenco/llmgateway#3616, 2026-08).
   */
  get stray(): string | undefined {
    return isJson(this.#stray) ? this.#stray.trim() : undefined;
  }

  #feed(text: string, take: (event: SseEvent) => void): void {
    this.#take = take;
    if (!this.#error) this.#parser.feed(text);
    if (this.#error) throw this.#error;
  }
}

function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * UTF-8 in pieces. Most of what a backend sends is ASCII: that is taken as it is, at a tenth of the decoder's cost, and
 * as strings of one byte a character, which JSON.parse reads faster.
 */
class Utf8Text {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  /** True while the decoder may hold the beginning of a character. */
  #midCharacter = false;
  #begun = false;

  decode(bytes: Uint8Array): string {
    if (bytes.length === 0) return '';
    if (!this.#midCharacter && isAscii(bytes)) {
      this.#begun = true;
      return latin1(bytes);
    }
    this.#midCharacter = (bytes[bytes.length - 1] ?? 0) > 0x7f;
    return this.#withoutBom(this.#decoder.decode(bytes, { stream: true }));
  }

  end(): string {
    return this.#withoutBom(this.#decoder.decode());
  }

  #withoutBom(text: string): string {
    if (this.#begun || text === '') return text;
    this.#begun = true;
    return text.startsWith(BOM) ? text.slice(1) : text;
  }
}

function latin1(bytes: Uint8Array): string {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('latin1');
}
