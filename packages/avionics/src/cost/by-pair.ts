/** What is remembered of a provider and a model: by both names as they are, for joining them costs more than to look. */
export class ByPair<Value> {
  readonly #known = new Map<string, Map<string, Value>>();
  readonly #capacity: number;
  #size = 0;

  /** @param capacity most values; beyond it all are forgotten */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(provider: string, model: string): Value | undefined {
    return this.#known.get(provider)?.get(model);
  }

  set(provider: string, model: string, value: Value): void {
    if (this.#size >= this.#capacity) {
      this.#known.clear();
      this.#size = 0;
    }
    let models = this.#known.get(provider);
    if (!models) {
      models = new Map();
      this.#known.set(provider, models);
    }
    if (!models.has(model)) this.#size++;
    models.set(model, value);
  }
}
