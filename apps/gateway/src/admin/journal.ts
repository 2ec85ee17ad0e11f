import type { RequestRecord } from '@x/console/contract';

/** Characters kept of a prompt and of an answer, so that a full journal with content stays below 64 MB of text. */
const MAX_CONTENT = 32_000;

/** The newest calls, in memory: what the console lists. */
export class Journal {
  readonly #capacity: number;
  /** In a circle: the next one takes the place of the oldest. */
  readonly #records: (RequestRecord | undefined)[] = [];
  /** By id; of numbers alone, for the old tables of a Map whose entries come and go keep alive what stands in them. */
  readonly #places = new Map<string, number>();
  #next = 0;
  readonly #listeners = new Set<(record: RequestRecord) => void>();

  /** @param capacity most calls kept; the one that began first goes first */
  constructor(capacity = 1000) {
    this.#capacity = capacity;
  }

  /** A call began, went on or ended; the record replaces what was known under its id. Later changes to it go unseen. */
  put(record: RequestRecord): void {
    const kept = record.content
      ? { ...record, content: { prompt: clip(record.content.prompt), answer: clip(record.content.answer) } }
      : record;
    this.#records[this.#placeOf(kept.id)] = kept;
    for (const listener of this.#listeners) listener(kept);
  }

  get(id: string): RequestRecord | undefined {
    const place = this.#places.get(id);
    return place === undefined ? undefined : this.#records[place];
  }

  /** @returns the newest last */
  newest(count = this.#capacity): RequestRecord[] {
    const inOrder = [...this.#records.slice(this.#next), ...this.#records.slice(0, this.#next)];
    return inOrder.filter(record => record !== undefined).slice(-count);
  }

  #placeOf(id: string): number {
    const known = this.#places.get(id);
    if (known !== undefined) return known;
    const place = this.#next;
    const oldest = this.#records[place];
    if (oldest) this.#places.delete(oldest.id);
    this.#places.set(id, place);
    this.#next = (place + 1) % this.#capacity;
    return place;
  }

  /**
   * @param listener hears of each record that is put; it must not throw
   * @returns ends it
   */
  subscribe(listener: (record: RequestRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function clip(text: string): string {
  return text.length > MAX_CONTENT ? `${text.slice(0, MAX_CONTENT)} …` : text;
}
