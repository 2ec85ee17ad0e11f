import type { PromptPrefix } from './prefix.ts';

type Hashes = PromptPrefix['hashes'];

/** A prompt of which less than this is found is gone; of one that lost its end to another call more is. */
const GONE = 0.1;

/** A prompt that is not being worked on. */
interface Idle {
  readonly hashes: Hashes;
  /** Later ones have greater numbers. */
  readonly order: number;
}

/** A call at work. One of the two ends it. */
export interface PromptUse {
  /** Blocks of the prompt that the node should have found. */
  readonly expected: number;
  /**
   * The prompt was evaluated and is held from now on.
   * @param found blocks the node says it found; undefined: it did not say
   */
  end(found: number | undefined): void;
  /** The prompt was not evaluated. */
  cancel(): void;
}

/**
 * What a llama-server should hold of prompts, by what it was sent and what it reported. It holds them whole, each in a
 * place of its own, the least recently used first out; a call takes the one that fits best, goes on from where they
 * part, and leaves its own prompt there; until it ends nobody else finds either. Source: llama.cpp v0.5.0,
 * tools/server: `get_available_slot` (server-context.cpp), `server_prompt_cache` (server-task.cpp).
 */
export class HeldPrompts {
  /** Blocks. Learnt: what is given is where it starts. */
  #capacity: number;
  /** Oldest first. */
  readonly #idle = new Set<Idle>();
  readonly #idleBlocks = new BlockCounts();
  readonly #runningBlocks = new BlockCounts();
  readonly #onFirst: (first: number, holds: boolean) => void;
  #size = 0;
  #uses = 0;

  /**
   * @param capacity blocks
   * @param onFirst told when it begins, and when it ceases, to hold anything that begins with a block
   */
  constructor(capacity: number, onFirst: (first: number, holds: boolean) => void = () => {}) {
    this.#capacity = capacity;
    this.#onFirst = onFirst;
  }

  /** Blocks of all prompts that nobody works on. */
  get size(): number {
    return this.#size;
  }

  /** How many of a prompt's first blocks a call would find now. */
  ready(hashes: Hashes): number {
    return countFirst(hashes, hash => this.#idleBlocks.has(hash));
  }

  /** The same once the calls that run have ended. */
  coming(hashes: Hashes): number {
    return countFirst(hashes, hash => this.#idleBlocks.has(hash) || this.#runningBlocks.has(hash));
  }

  begin(hashes: Hashes): PromptUse {
    const expected = this.ready(hashes);
    const taken = this.#closest(hashes, expected);
    // Of one that would lose more than half, a copy stays.
    const isMoved = taken !== undefined && expected >= taken.hashes.length / 2;
    if (isMoved) this.#remove(taken);
    this.#add(this.#runningBlocks, hashes);
    return {
      expected,
      end: found => {
        this.#drop(this.#runningBlocks, hashes);
        if (found !== undefined) this.#learn(taken, expected, found);
        this.#put(hashes);
      },
      cancel: () => {
        this.#drop(this.#runningBlocks, hashes);
        if (isMoved) this.#put(taken.hashes);
      },
    };
  }

  clear(): void {
    for (const one of this.#idle) this.#remove(one);
  }

  /** Of those that share so many blocks with a prompt the one that loses the least. */
  #closest(hashes: Hashes, blocks: number): Idle | undefined {
    if (blocks === 0) return undefined;
    let best: Idle | undefined;
    for (const one of this.#idle) {
      // A hash stands for all the text before it.
      if (one.hashes[blocks - 1] !== hashes[blocks - 1]) continue;
      if (!best || one.hashes.length < best.hashes.length) best = one;
    }
    return best;
  }

  /** Where one prompt is gone so are those used before it, and there is less room than was thought. */
  #learn(taken: Idle | undefined, expected: number, found: number): void {
    if (found > 2 * expected + 1) this.#capacity += found - expected;
    if (!taken || found >= expected * GONE) return;
    for (const one of this.#idle) {
      if (one.order > taken.order) break;
      this.#remove(one);
    }
    this.#capacity -= Math.ceil((this.#capacity - this.#size) / 2);
  }

  #put(hashes: Hashes): void {
    this.#idle.add({ hashes, order: this.#uses++ });
    this.#add(this.#idleBlocks, hashes);
    this.#size += hashes.length;
    for (const one of this.#idle) {
      if (this.#size <= this.#capacity) return;
      this.#remove(one);
    }
  }

  #remove(one: Idle): void {
    if (!this.#idle.delete(one)) return;
    this.#drop(this.#idleBlocks, one.hashes);
    this.#size -= one.hashes.length;
  }

  #add(counts: BlockCounts, hashes: Hashes): void {
    counts.add(hashes);
    const [first] = hashes;
    if (first !== undefined) this.#onFirst(first, true);
  }

  #drop(counts: BlockCounts, hashes: Hashes): void {
    counts.remove(hashes);
    const [first] = hashes;
    if (first === undefined || this.#idleBlocks.has(first) || this.#runningBlocks.has(first)) return;
    this.#onFirst(first, false);
  }
}

/** How many prompts each block belongs to. */
class BlockCounts {
  readonly #counts = new Map<number, number>();

  has(hash: number): boolean {
    return this.#counts.has(hash);
  }

  add(hashes: Hashes): void {
    for (const hash of hashes) this.#counts.set(hash, (this.#counts.get(hash) ?? 0) + 1);
  }

  remove(hashes: Hashes): void {
    for (const hash of hashes) {
      const left = (this.#counts.get(hash) ?? 0) - 1;
      if (left > 0) this.#counts.set(hash, left);
      else this.#counts.delete(hash);
    }
  }
}

/** How many come first of which something is true that is true of all before one of which it is. */
function countFirst(hashes: Hashes, isTrue: (hash: number) => boolean): number {
  let from = 0;
  let to = hashes.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (isTrue(hashes[middle] as number)) from = middle + 1;
    else to = middle;
  }
  return from;
}
