// What tests see beside what they expect: `pnpm proof:faults` puts it into its table.

/** Facts of one kind, in plain words and numbers. */
export interface Fact {
  /** What saw it, e.g. `answer`, `record`, `billed`. */
  of: string;
  [name: string]: unknown;
}

const SINK = Symbol.for('@x/proof-facts');

const held = globalThis as { [SINK]?: Fact[] | undefined };

/** Facts are kept from here on, in the list that is given. */
export function collectFacts(list: Fact[] | undefined): void {
  held[SINK] = list;
}

/** Tells a fact of the test under way; nobody hears it unless the proof runs. */
export function seen(fact: Fact): void {
  held[SINK]?.push(fact);
}
