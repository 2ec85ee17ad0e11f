/** Upper ends of the buckets grow by this factor: percentiles are right to within 5 %. */
const GROWTH = 1.05;
const LOG_GROWTH = Math.log(GROWTH);
/** Shortest time told apart, in milliseconds. */
const SMALLEST_MS = 0.01;
/** The last bucket ends beyond a day. */
const BUCKETS = Math.ceil(Math.log(100_000_000 / SMALLEST_MS) / LOG_GROWTH);

/** Milliseconds below which that share of the calls lay; 0 before the first. */
export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
}

/** Times of any number of calls in a fixed amount of memory. */
export class Histogram {
  /** Made at the first time, for most agents have few figures. */
  #counts: Uint32Array | undefined;
  #count = 0;
  #sum = 0;

  add(ms: number): void {
    this.#counts ??= new Uint32Array(BUCKETS);
    const index = Math.ceil(Math.log(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) / LOG_GROWTH);
    const at = Math.min(BUCKETS - 1, index);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#count++;
    this.#sum += ms;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  percentiles(): Percentiles {
    return { p50: this.#below(0.5), p95: this.#below(0.95), p99: this.#below(0.99) };
  }

  #below(share: number): number {
    if (!this.#counts) return 0;
    const rank = Math.ceil(share * this.#count);
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= rank) return SMALLEST_MS * GROWTH ** (index - 0.5);
    }
    return 0;
  }
}
