import type { RequestRecord } from '@x/console/contract';

/** Characters kept of a prompt and of an answer, so that a full journal with content stays below 64 MB of text. */
const MAX_CONTENT = 32_000;

/** The newest calls, in memory: what the console lists. */
export class Journal {
  readonly #capacity: number;
  readonly #records = new Map<string, RequestRecord>();
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
    this.#records.set(kept.id, kept);
    if (this.#records.size > this.#capacity) {
      const oldest = this.#records.keys().next();
      if (!oldest.done) this.#records.delete(oldest.value);
    }
    for (const listener of this.#listeners) listener(kept);
  }

  get(id: string): RequestRecord | undefined {
    return this.#records.get(id);
  }

  /** @returns the newest last */
  newest(count = this.#capacity): RequestRecord[] {
    return [...this.#records.values()].slice(-count);
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
