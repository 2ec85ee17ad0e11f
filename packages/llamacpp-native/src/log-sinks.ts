/** A line of llama.cpp's log. */
export type LogSink = (level: string, line: string) => void;

/** The readers of a log. llama.cpp has one log for the whole process, whoever loads what. */
export class LogSinks {
  readonly #sinks = new Set<{ sink: LogSink }>();

  /** Whether anybody reads. */
  get isRead(): boolean {
    return this.#sinks.size > 0;
  }

  /** The function returned takes the reader off again. */
  add(sink: LogSink): () => void {
    const entry = { sink };
    this.#sinks.add(entry);
    return () => {
      this.#sinks.delete(entry);
    };
  }

  /** One reader gets a line once, however often it was added. */
  readonly write: LogSink = (level, line) => {
    for (const sink of new Set([...this.#sinks].map(entry => entry.sink))) sink(level, line);
  };
}
