import { describe, expect, it } from 'vitest';
import { Random } from '../packages/airframe/test/fuzz/random-stream.ts';
import { judge, unclaimed } from '../proof/faults/judge.mjs';
import { claims, SCENARIOS } from '../proof/faults/scenarios.mjs';
import { seenBy } from '../proof/faults/words.mjs';
import { mutatedBody, mutatedBytes } from '../proof/fuzz/mutate.mjs';
import { booksRows, expectedBill, memoryRows } from '../proof/soak/judge.mjs';
import { billOf, endingOf, planOf } from '../proof/soak/plan.mjs';

const passed = (key: string, facts: object[] = []) => ({
  file: key.split(' › ')[0],
  key,
  state: 'passed',
  facts,
});
const row = { part: 'p', scenario: 's', promise: 'x', tests: ['faults-a › one'] };

describe('the table of faults', () => {
  it('holds where all tests that a row claims have passed', () => {
    expect(judge([row], [passed('faults-a › one › in chat')])).toMatchObject([{ tests: 1, held: true }]);
  });

  it('does not hold where one has failed, or none is called so any more', () => {
    const failed = { ...passed('faults-a › one'), state: 'failed', error: 'it broke' };
    expect(judge([row], [failed])).toMatchObject([{ held: false, problems: ['faults-a › one: it broke'] }]);
    expect(judge([row], [passed('faults-a › two')])).toMatchObject([{ held: false, tests: 0 }]);
  });

  it('names the tests of faults that no row speaks of, and of the other files none', () => {
    const tests = [passed('faults-a › one'), passed('faults-a › two'), passed('retry › three')];
    expect(unclaimed([row], tests).map(({ key }: { key: string }) => key)).toEqual(['faults-a › two']);
  });

  it('has claims with stars, and takes brackets as they are', () => {
    expect(claims('kit › * conforms › says [DONE]', 'kit › openai conforms › says [DONE] twice')).toBe(true);
    expect(claims('kit › * conforms › says', 'retry › kit › x conforms › says')).toBe(false);
  });

  it('gives each promise in a sentence', () => {
    for (const { promise, scenario } of SCENARIOS) expect(promise, scenario).toMatch(/\.$/);
  });

  it('tells what was seen, the same once, and times as a range', () => {
    const facts = (at: number) => [
      { of: 'upstream asked', method: 'POST' },
      { of: 'client left', at: 100 },
      { of: 'upstream closed', at },
      { of: 'record', state: 'stopped', attempts: ['aborted'], latencyMs: 9 },
      { of: 'billed', prompt: 12, completion: 1, usd: 0.014 },
    ];
    expect(seenBy([passed('a', facts(104)), passed('b', facts(131))])).toBe(
      'logged as stopped by the client, tries: aborted; billed 12 + 1 tokens, $0.014; books agree, nothing reserved; upstream asked 1×; upstream closed after the client left: 4–31 ms',
    );
  });
});

describe('the soak', () => {
  const ids = Array.from({ length: 200 }, (_, id) => id);

  it('has calls of every ending, and bills those that failed midway for what had come', () => {
    const plans = ids.map(planOf);
    expect(new Set(plans.map(endingOf))).toEqual(new Set(['whole', 'failed', 'left']));
    for (const plan of plans) {
      const { completion } = billOf(plan);
      if (endingOf(plan) === 'whole') expect(completion).toBe(plan.pieces);
      else expect([0, plan.cut]).toContain(completion);
    }
  });

  it('wants the sums to the token, and nothing reserved', () => {
    const expected = expectedBill([[0, 200]]);
    const told = { tokens: expected.tokens };
    const limits = (reserved: number) => [
      { unit: 'tokens', spent: expected.tokens, reserved },
      { unit: 'usd', spent: expected.usd, reserved: 0 },
    ];
    const held = (reserved: number, tokens = told) =>
      booksRows('x', { expected, limits: limits(reserved), told: tokens }).every(one => one.held);
    expect(held(0)).toBe(true);
    expect(held(1)).toBe(false);
    expect(held(0, { tokens: expected.tokens - 1 })).toBe(false);
  });

  it('tells memory that grows from memory that goes up and down, and says nothing of few samples', () => {
    const samples = (of: (at: number) => number, count = 40) =>
      Array.from({ length: count }, (_, at) => ({
        minute: at / 20,
        bytes: of(at) * 2 ** 20,
        rssBytes: 100 * 2 ** 20,
      }));
    const heap = (of: (at: number) => number) => memoryRows('x', samples(of))[0];
    expect(heap(at => 40 + (at % 5))).toMatchObject({ held: true });
    expect(heap(at => 40 + at)).toMatchObject({ held: false, seen: 13 });
    expect(
      memoryRows(
        'x',
        samples(() => 40, 9),
      ),
    ).toEqual([]);
  });
});

describe('fuzzed requests', () => {
  const body = { model: 'fast', stream: true, messages: [{ role: 'user', content: 'Say hello' }] };
  const bytes = Buffer.from(`POST / HTTP/1.1\r\nhost: x\r\n\r\n${JSON.stringify(body)}`);

  it('are the same with the same seed, and others with another', () => {
    const bodies = (seed: number) => {
      const random = new Random(seed);
      return Array.from({ length: 50 }, () => mutatedBody(body, random));
    };
    expect(bodies(1)).toEqual(bodies(1));
    expect(bodies(1)).not.toEqual(bodies(2));
    const once = (seed: number) => mutatedBytes(bytes, new Random(seed)).toString('latin1');
    expect(once(1)).toBe(once(1));
  });

  it('leave the body that they are made of as it is', () => {
    const before = JSON.stringify(body);
    const random = new Random(3);
    for (let times = 0; times < 500; times++) mutatedBody(body, random);
    expect(JSON.stringify(body)).toBe(before);
  });
});
