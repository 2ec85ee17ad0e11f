/** A load that is over sooner is not worth a bar, in milliseconds. */
const MOMENT_MS = 300;
/** When a load is worth a line of its own, where no line can be rewritten. */
const LONG_MS = 2_000;
const BAR_CELLS = 24;

/** How far the model is loaded, for whoever shows what is waited for. */
export class LoadStatus {
  readonly #modelName: string;
  readonly #say: ((line: string) => void) | undefined;
  #fraction = 1;
  #since = 0;
  #later: NodeJS.Timeout | undefined;

  /** @param say writes a line, once, when a load takes long; absent: {@link label} is shown instead */
  constructor(modelName: string, say?: (line: string) => void) {
    this.#modelName = modelName;
    this.#say = say;
  }

  /** Takes the news of a load, 0 to 1. */
  readonly onLoadProgress = (fraction: number): void => {
    // A load that was given up is followed by one from the beginning.
    if (fraction < this.#fraction) this.#begin();
    this.#fraction = fraction;
    if (fraction === 1) clearTimeout(this.#later);
  };

  /** What is being waited for: the answer, or the model it needs first. */
  readonly label = (): string => {
    const isLoading = this.#fraction < 1 && performance.now() - this.#since >= MOMENT_MS;
    return isLoading ? `loading ${this.#modelName} ${bar(this.#fraction)}` : `waiting for ${this.#modelName}`;
  };

  #begin(): void {
    this.#since = performance.now();
    clearTimeout(this.#later);
    const say = this.#say;
    // Not a reason for the app to stay.
    if (say) this.#later = setTimeout(() => say(`loading ${this.#modelName}`), LONG_MS).unref();
  }
}

function bar(fraction: number): string {
  const full = Math.floor(fraction * BAR_CELLS);
  const percent = String(Math.floor(fraction * 100)).padStart(3);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)} ${percent} %`;
}
