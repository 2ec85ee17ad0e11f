/** What an event does, and the one string in it by which the next may differ. */
export interface Varying {
  /** Key of the string, in ASCII. */
  key: string;
  /** Does for another value what the event has done for its own. */
  use(value: string): void;
  /** Key of another string behind it, which nobody reads: it may differ as well. */
  padding?: string;
}

/** Longest slice that V8 copies: of a longer one it would keep all that was read with it. */
const COPIED_CHARS = 12;

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
    const value = stringOf(data, before.length, closing);
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
    return stringOf(data, closing + between.length, end) === undefined ? -1 : closing;
  }

  /** To be called after an event that {@link read} has left, if the next may be like it. */
  learn(data: string, { key, use, padding }: Varying): void {
    this.#use = undefined;
    if (!this.learns) return;
    this.#vain = this.#served < WORTH ? this.#vain + 1 : 0;
    this.#served = 0;
    const start = startOf(data, key);
    if (start < 0) return;
    const end = closingQuote(data, start);
    const before = data.slice(0, start);
    const behind = data.slice(end);
    // The only string of this key is the one that was found, unless the key stands there in another spelling.
    if (before.includes('\\u') || behind.includes('\\u')) return;
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
  const found = opening.exec(json);
  // A quote that is escaped opens nothing: the key ends like this one and is another.
  if (!found || json[found.index - 1] === '\\') return -1;
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

/**
 * The JSON string between two quotes.
 * @param from behind the opening one
 * @param to where the closing one is
 * @returns undefined when it is not one JSON string
 */
function stringOf(json: string, from: number, to: number): string | undefined {
  if (to < from) return undefined;
  if (to - from <= COPIED_CHARS && isPlain(json, from, to)) return json.slice(from, to);
  try {
    return JSON.parse(json.slice(from - 1, to + 1));
  } catch {
    return undefined;
  }
}

/** Whether it stands for itself, without escapes. */
function isPlain(json: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = json.charCodeAt(at);
    if (code < 0x20 || code === QUOTE || code === BACKSLASH) return false;
  }
  return true;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** As text of its own: what is joined first is written anew. */
function copied(text: string): string {
  return ` ${text}`.slice(1);
}

/** @param from behind the opening quote of a string in valid JSON */
function closingQuote(json: string, from: number): number {
  for (let at = from; ; at++) {
    const char = json[at];
    if (char === '"') return at;
    if (char === '\\') at++;
  }
}
