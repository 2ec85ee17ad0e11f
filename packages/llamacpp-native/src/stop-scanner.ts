/** Cuts text at the first stop sequence, also at one that arrives in pieces; nothing of it gets through. */
export class StopScanner {
  readonly #stops: readonly string[];
  /** Text that may turn out to be the beginning of a stop sequence. */
  #held = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Takes text in and returns what is certain to be no part of a stop sequence. */
  push(text: string): { text: string; stopped: boolean } {
    if (this.#stops.length === 0) return { text, stopped: false };
    const held = this.#held + text;
    const end = this.#firstStop(held);
    if (end !== -1) {
      this.#held = '';
      return { text: held.slice(0, end), stopped: true };
    }
    const sure = held.length - this.#unsure(held);
    this.#held = held.slice(sure);
    return { text: held.slice(0, sure), stopped: false };
  }

  /** What is still held back, once it is certain that nothing follows. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  #firstStop(text: string): number {
    const found = this.#stops.map(stop => text.indexOf(stop)).filter(index => index !== -1);
    return found.length > 0 ? Math.min(...found) : -1;
  }

  /** Length of the longest end of the text that is the beginning of a stop sequence. */
  #unsure(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
