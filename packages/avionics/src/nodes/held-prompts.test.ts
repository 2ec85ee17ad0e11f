import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldPrompts } from './held-prompts.ts';

/** Blocks of a text; texts of one root begin alike, up to where the branch leaves. A block tells all before it. */
const blocks = (root: number, length: number, branch = 0, from = length) =>
  Array.from({ length }, (_, at) => root * 1e6 + (at < from ? at : 1e4 * (branch + 1) + 100 * from + at));

/** A call from its beginning to its end. */
function use(held: HeldPrompts, hashes: number[], found?: number): number {
  const { expected, end } = held.begin(hashes);
  end(found);
  return expected;
}

describe('HeldPrompts', () => {
  it('holds a history that grows in one place', () => {
    const held = new HeldPrompts(100);
    expect([4, 5, 6].map(length => use(held, blocks(1, length)))).toEqual([0, 4, 5]);
    expect(held.size).toBe(6);
  });

  it('has another call find nothing of a prompt in use, until that ends', () => {
    const held = new HeldPrompts(100);
    const first = held.begin(blocks(1, 8));
    expect([held.ready(blocks(1, 9)), held.coming(blocks(1, 9))]).toEqual([0, 8]);
    first.end(undefined);
    expect([held.ready(blocks(1, 9)), held.coming(blocks(1, 9))]).toEqual([8, 8]);
  });

  it('goes on from the prompt that fits best, whose own end is lost; or from a copy where that is most of it', () => {
    const held = new HeldPrompts(100);
    const [one, other] = [blocks(1, 10, 1, 8), blocks(1, 10, 2, 8)];
    use(held, one);
    expect(use(held, other)).toBe(8);
    expect([held.ready(one), held.ready(other), held.size]).toEqual([8, 10, 10]);
    const short = blocks(1, 10, 3, 4);
    expect(use(held, short)).toBe(4);
    expect([held.ready(other), held.ready(short), held.size]).toEqual([10, 10, 20]);
  });

  it('still holds what a call was to go on from that came to nothing', () => {
    const held = new HeldPrompts(100);
    use(held, blocks(1, 6));
    held.begin(blocks(1, 8)).cancel();
    expect([held.ready(blocks(1, 8)), held.size]).toEqual([6, 6]);
  });

  it('gives up all that was used before a prompt that the node says was gone', () => {
    const held = new HeldPrompts(100);
    for (const root of [1, 2, 3]) use(held, blocks(root, 10));
    expect(use(held, blocks(2, 11), 0)).toBe(10);
    expect([1, 2, 3].map(root => held.ready(blocks(root, 11)))).toEqual([0, 11, 10]);
  });

  it('learns how much there is room for: less where prompts are gone, more where they are there after all', () => {
    const held = new HeldPrompts(1_000);
    for (let call = 0; call < 20; call++) use(held, blocks(1, 10), 0);
    expect(held.ready(blocks(1, 10))).toBe(0);
    use(held, blocks(1, 10), 10);
    expect(held.ready(blocks(1, 10))).toBe(10);
  });

  it('never holds more than it may, nor a block without those before it, and forgets nothing that runs', () => {
    const step = fc.record({
      root: fc.integer({ min: 1, max: 3 }),
      branch: fc.nat(2),
      from: fc.nat(8),
      length: fc.integer({ min: 0, max: 12 }),
      ends: fc.constantFrom('end', 'cancel', 'later'),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(step, { maxLength: 30 }), (capacity, steps) => {
        const firsts = new Set<number>();
        const held = new HeldPrompts(capacity, (first, holds) => {
          if (holds) firsts.add(first);
          else firsts.delete(first);
        });
        const running: (() => void)[] = [];
        for (const { root, branch, from, length, ends } of steps) {
          const hashes = blocks(root, length, branch, from);
          const ready = held.ready(hashes);
          const { expected, end, cancel } = held.begin(hashes);
          expect(expected).toBe(ready);
          expect(held.coming(hashes)).toBe(length);
          if (ends === 'end') end(undefined);
          if (ends === 'cancel') cancel();
          if (ends === 'later') running.push(() => end(undefined));
          if (ends === 'end') expect(held.ready(hashes)).toBe(length <= capacity ? length : 0);
          if (ends === 'cancel') expect(held.ready(hashes)).toBe(ready);
          expect(held.size).toBeLessThanOrEqual(capacity);
          for (const other of steps) {
            const [first, ...rest] = blocks(other.root, other.length, other.branch, other.from);
            if (first !== undefined) expect(firsts.has(first)).toBe(held.coming([first, ...rest]) > 0);
          }
        }
        for (const end of running) end();
        held.clear();
        expect(held.size).toBe(0);
        for (const { root, branch, from, length } of steps) {
          expect(held.coming(blocks(root, length, branch, from))).toBe(0);
        }
      }),
    );
  });
});
