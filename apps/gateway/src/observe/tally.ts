import { Counter, type Registry } from 'prom-client';

interface Row<Label extends string> {
  labels: Record<Label, string>;
  sum: number;
}

type Rows<Label extends string> = Map<string, Row<Label> | Rows<Label>>;

/**
 * A counter that is handed to prom-client when somebody looks: prom-client's own makes a text of all labels each time it
 * counts, which for the dozen of a call takes longer than all else that is noted of it.
 */
export class Tally<Label extends string> {
  readonly #names: readonly Label[];
  readonly #tree: Rows<Label> = new Map();
  readonly #rows: Row<Label>[] = [];

  constructor(registry: Registry, name: string, help: string, labelNames: readonly Label[]) {
    this.#names = labelNames;
    const rows = this.#rows;
    new Counter<Label>({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, sum } of rows) this.inc(labels, sum);
      },
    });
  }

  /** @param values of the labels, in the order of their names */
  add(amount: number, ...values: string[]): void {
    let rows = this.#tree;
    for (let at = 0; at < values.length - 1; at++) {
      let next = rows.get(values[at] as string) as Rows<Label> | undefined;
      if (!next) {
        next = new Map();
        rows.set(values[at] as string, next);
      }
      rows = next;
    }
    const last = values[values.length - 1] as string;
    const row = rows.get(last) as Row<Label> | undefined;
    if (row) row.sum += amount;
    else rows.set(last, this.#rowOf(amount, values));
  }

  #rowOf(sum: number, values: readonly string[]): Row<Label> {
    const labels = Object.fromEntries(this.#names.map((name, at) => [name, values[at]]));
    const row = { labels: labels as Record<Label, string>, sum };
    this.#rows.push(row);
    return row;
  }
}
