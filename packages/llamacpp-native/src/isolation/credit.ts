/** What a call may still send before its reader has to catch up. */
export class Credit {
  #left: number;
  #wake: (() => void) | undefined;

  constructor(events: number) {
    this.#left = events;
  }

  /** Takes one, as soon as there is one. Not to be called again before that. */
  async take(): Promise<void> {
    while (this.#left <= 0) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    this.#left--;
  }

  add(events: number): void {
    this.#left += events;
    this.#wake?.();
  }
}
