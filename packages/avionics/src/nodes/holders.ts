/**
 * Who holds something that begins with a certain block. Of many nodes few hold anything of a prompt: those are found here
 * without asking each.
 */
export class Holders<Holder> {
  readonly #byFirst = new Map<number, Set<Holder>>();

  /** @param first hash of a prompt's first block; undefined: it has none */
  of(first: number | undefined): ReadonlySet<Holder> {
    return (first !== undefined && this.#byFirst.get(first)) || NOBODY;
  }

  set(first: number, holder: Holder, holds: boolean): void {
    const holders = this.#byFirst.get(first);
    if (!holds) {
      holders?.delete(holder);
      if (holders?.size === 0) this.#byFirst.delete(first);
    } else if (holders) holders.add(holder);
    else this.#byFirst.set(first, new Set([holder]));
  }
}

const NOBODY: ReadonlySet<never> = new Set();
