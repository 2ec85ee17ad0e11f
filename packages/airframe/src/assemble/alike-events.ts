/** What an event does, and the one string in it by which the next may differ. */
export interface Varying {
  /** Key of the string. */
  key: string;
  value: string;
  /** The string's place in an event like this one. */
  find(json: unknown): unknown;
  /** Does for another value what the event has done for its own. */
  use(value: string): void;
  /** Key of another string behind it, which nobody reads: it may differ as well. */
  padding?: string;
}

/** A pattern is to serve so many events, or learning it was in vain. */
const WORTH = 4;

/** After so many in a row that were not worth it the events of this stream are taken to differ in more than one string. */
const MAX_VAIN = 8;

/**
 * Reads events that differ from the one before in a single string, without parsing what they have in common: most of a
 * stream is such, a delta of text with the same ids around it, and parsing all of it takes four times as long. Padding
 * behind the string, as OpenAI puts there, may differ as well.
 *
 * An event that begins and ends letter by letter like one that was parsed, with a JSON string in between, is JSON of the
 * same shape, with that string in the same place. Every other event is left to be parsed.
 */
export class AlikeEvents {
  /** Up to the string's opening quote, and from its last closing one, both included. */
  #before = '';
  #behind = '';
  /** From the string's closing quote to the opening one of the padding, both included; '': there is none. */
  #between = '';
  #use: ((value: string) => void) | undefined;
  #served = 0;
  #vain = 0;

  /** false: this stream has none, and nothing will be learnt any more. */
  get learns(): boolean {
    return this.#vain < MAX_VAIN;
  }

  /** @returns false when it is another kind of event, which has to be parsed */
  read(data: string): boolean {
    const use = this.#use;
    if (!use) return false;
    const before = this.#before;
    const behind = this.#behind;
    const end = data.length - behind.length;
    if (end < before.length || data.slice(0, before.length) !== before || data.slice(end) !== behind) {
      return false;
    }
    const closing = this.#closing(data, end);
    if (closing < 0) return false;
    const value = stringOf(data.slice(before.length - 1, closing + 1));
    if (value === undefined) return false;
    this.#served++;
    use(value);
    return true;
  }

  /**
   * Where the string of an event ends.
   * @param end where what follows all that may differ begins
   */
  #closing(data: string, end: number): number {
    const between = this.#between;
    if (between === '') return end;
    const closing = data.indexOf(between, this.#before.length);
    return stringOf(data.slice(closing + between.length - 1, end + 1)) === undefined ? -1 : closing;
  }

  /** To be called after an event that {@link read} has left, if the next may be like it. */
  learn(data: string, { key, value, find, use, padding }: Varying): void {
    this.#use = undefined;
    if (!this.learns) return;
    this.#vain = this.#served < WORTH ? this.#vain + 1 : 0;
    this.#served = 0;
    const start = startOf(data, key);
    if (start < 0) return;
    const end = closingQuote(data, start);
    const before = data.slice(0, start);
    const behind = data.slice(end);
    // The proof that it is this string and no other of the same key.
    const longer = JSON.parse(`${before}${data.slice(start, end)}.${behind}`);
    if (find(longer) !== `${value}.`) return;
    // As copies: a slice would keep the whole read alive.
    this.#before = copied(before);
    const padded = padding === undefined ? -1 : startOf(behind, padding);
    this.#between = padded < 0 ? '' : copied(behind.slice(0, padded));
    this.#behind = copied(padded < 0 ? behind : behind.slice(closingQuote(behind, padded)));
    this.#use = use;
  }
}

/** Where the only string of this key begins, behind its opening quote; -1: there is none, or several. */
function startOf(json: string, key: string): number {
  const opening = openingOf(key);
  opening.lastIndex = 0;
  if (!opening.test(json)) return -1;
  const start = opening.lastIndex;
  return opening.test(json) ? -1 : start;
}

/** By key: one for each stream would have to be compiled for each. */
const openings = new Map<string, RegExp>();

function openingOf(key: string): RegExp {
  let opening = openings.get(key);
  if (!opening) {
    opening = new RegExp(`"${key}"\\s*:\\s*"`, 'g');
    openings.set(key, opening);
  }
  return opening;
}

/** @returns undefined when it is not one JSON string */
function stringOf(json: string): string | undefined {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function copied(text: string): string {
  return JSON.parse(JSON.stringify(text));
}

/** @param from behind the opening quote of a string in valid JSON */
function closingQuote(json: string, from: number): number {
  for (let at = from; ; at++) {
    const char = json[at];
    if (char === '"') return at;
    if (char === '\\') at++;
  }
}
