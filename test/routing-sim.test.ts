import { describe, expect, it } from 'vitest';
import { NodeRouter } from '../packages/avionics/src/nodes/router.ts';
import { Agenda } from '../sim/routing/agenda.mjs';
import { Node } from '../sim/routing/node.mjs';
import { PromptCache } from '../sim/routing/prompt-cache.mjs';
import { simulate } from '../sim/routing/simulate.mjs';

/** Round figures, near to what has been measured. */
const SPEED = {
  overheadMs: 10,
  bySlots: [
    { busy: 1, promptTokensPerSecond: 800, generationTokensPerSecond: 200 },
    { busy: 2, promptTokensPerSecond: 800, generationTokensPerSecond: 100 },
  ],
};

const SCENARIO = {
  nodes: 12,
  slots: 2,
  storedTokens: 16_384,
  agents: 96,
  load: 0.8,
  warmUpSeconds: 60,
  seconds: 400,
  failEverySeconds: 300,
  downSeconds: 20,
};

function run(strategy: string, seed = 1) {
  const results = simulate({ NodeRouter, strategy, scenario: SCENARIO, speed: SPEED, seed });
  const { microsPerDecision: _, ...figures } = results;
  return figures;
}

/** Ours may let so many times as many calls wait as the strategy that only looks at load, and one in a hundred more. */
const OVERLOAD_FACTOR = 1.25;

describe('the routing simulator', { timeout: 60_000 }, () => {
  it('comes to the same figures again, and to others with another seed', () => {
    expect(run('balanced')).toEqual(run('balanced'));
    expect(run('balanced')).not.toEqual(run('balanced', 2));
  });

  it.each([1, 2, 3])('has our strategy beat round-robin without overload (seed %i)', seed => {
    const [inTurn, leastBusy, ours] = ['round_robin', 'least_busy', 'balanced'].map(one => run(one, seed));
    expect(ours.calls).toBeGreaterThan(500);
    expect(ours.firstMsP50).toBeLessThan(0.5 * inTurn.firstMsP50);
    expect(ours.heldShare).toBeGreaterThan(2 * inTurn.heldShare);
    expect(ours.overloadShare).toBeLessThanOrEqual(OVERLOAD_FACTOR * leastBusy.overloadShare + 0.01);
  });

  it('cuts calls off when their node fails, tries those again that had not begun, and sees nodes come back', () => {
    const { cut, retried, refusedShare } = run('least_busy');
    expect(cut).toBeGreaterThan(0);
    expect(retried).toBeGreaterThan(0);
    expect(refusedShare).toBeLessThan(0.02);
  });
});

describe('a simulated llama-server', () => {
  it('takes as long as calibrated: prompts together, and nobody generates meanwhile', () => {
    const agenda = new Agenda();
    const node = new Node(agenda, { ...SPEED, overheadMs: 0 }, { slots: 2, storedTokens: 0 });
    const log: [string, number][] = [];
    const begin = (name: string, prompt: number[]) =>
      node.begin({
        prompt,
        answer: [1_000, 1_001].map(block => block + prompt.length),
        firstOutput: () => log.push([`${name} begins`, agenda.now]),
        done: ({ heldBlocks }: { heldBlocks: number }) =>
          log.push([`${name} held ${heldBlocks}`, agenda.now]),
        cut: () => log.push([`${name} is cut`, agenda.now]),
      });
    // 25 blocks of 64 tokens at 800 tokens per second: 2,000 ms. An answer of 128 tokens: 640 ms alone, 1,280 ms beside another.
    begin('a', blocks(25));
    agenda.at(2_320, () => begin('b', blocks(25, 100)));
    agenda.at(6_000, () => begin('c', blocks(30)));
    agenda.at(6_100, () => node.fail());
    agenda.runUntil(10_000);
    expect(log.map(([what, at]) => [what, Math.round(at)])).toEqual([
      ['a begins', 2_000],
      ['b begins', 4_320],
      ['a held 0', 4_960],
      ['b held 0', 5_280],
      ['c is cut', 6_100],
    ]);
  });

  it('keeps the last prompt of each slot, and takes the slot that has most of the new one', () => {
    const cache = new PromptCache(2, 0);
    use(cache, blocks(10));
    use(cache, blocks(10, 100));
    expect(use(cache, [...blocks(10), 11])).toBe(10);
    expect(use(cache, [...blocks(10, 100), 200])).toBe(10);
    expect(use(cache, blocks(10, 300))).toBe(0);
    expect(use(cache, blocks(10))).toBe(0);
  });

  it('stores what a slot loses, as far as there is room, the oldest out first', () => {
    const cache = new PromptCache(1, 25);
    for (const from of [0, 100, 200, 300]) use(cache, blocks(10, from));
    expect(use(cache, [...blocks(10, 200), 211])).toBe(10);
    expect(use(cache, [...blocks(10, 300), 311])).toBe(10);
    expect(use(cache, blocks(10))).toBe(0);
  });
});

function blocks(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, index) => from + index + 1);
}

/** @returns how many blocks were held */
function use(cache: PromptCache, prompt: number[]): number {
  const { slot, held } = cache.begin(prompt);
  cache.end(slot, prompt);
  return held;
}
