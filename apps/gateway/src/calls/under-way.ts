/** What knows its own place among others. */
export interface Placed {
  /** Below 0: it is not among them. Kept by {@link UnderWay}. */
  place: number;
}

/**
 * What is under way, in no order. An array, each knowing its place: a Set whose entries come and go is copied again and
 * again, and its old tables keep whole calls alive until the next full garbage collection, which makes every other one
 * dear.
 */
export class UnderWay<Item extends Placed> {
  readonly #items: Item[] = [];

  add(item: Item): void {
    item.place = this.#items.push(item) - 1;
  }

  delete(item: Item): void {
    const { place } = item;
    if (this.#items[place] !== item) return;
    item.place = -1;
    const last = this.#items.pop() as Item;
    if (last === item) return;
    this.#items[place] = last;
    last.place = place;
  }

  /** As they are now. */
  all(): Item[] {
    return [...this.#items];
  }
}
