import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { aimsOf } from '../bench/native/aims.mjs';
import { CELLS, PROMPT_WORDS } from '../bench/native/cells.mjs';
import { passOf, rateOf, ratioOf, summaryOf } from '../bench/native/figures.mjs';
import { withoutEnd } from '../bench/native/models.mjs';
import { promptsOf } from '../bench/native/prompts.mjs';
import { measureGroup } from '../bench/native/rounds.mjs';
import { printAims } from '../bench/report.mjs';

afterEach(() => {
  vi.restoreAllMocks();
});

const call = (startedAt: number, firstAt: number, lastAt: number) => ({
  ...{ startedAt, firstAt, lastAt, promptTokens: 101, cachedTokens: 1, completionTokens: 11 },
  ...{ promptMs: 40, generationMs: 90 },
});

describe('the figures of the native benchmark', () => {
  it('are of a prompt its tokens until the last call had its first one', () => {
    expect(passOf('prompt', [call(0, 50, 150)])).toEqual({
      ...{ tokens: 100, ms: 50, engineTokens: 100, engineMs: 40 },
    });
    expect(passOf('prompt', [call(0, 50, 150), call(5, 80, 190)])).toEqual({ tokens: 200, ms: 80 });
  });

  it('are of a generation the tokens between the very first and the very last', () => {
    expect(passOf('generation', [call(0, 50, 150)])).toEqual({
      ...{ tokens: 10, ms: 100, engineTokens: 10, engineMs: 90 },
    });
    expect(passOf('generation', [call(0, 50, 150), call(5, 80, 190)])).toEqual({ tokens: 21, ms: 140 });
  });

  it('are tokens a second by both clocks, as far as both tell', () => {
    const [alone, many] = [
      { tokens: 10, ms: 100, engineTokens: 10, engineMs: 90 },
      { tokens: 21, ms: 140 },
    ];
    expect(rateOf([alone, alone])).toEqual({ perSecond: 100, enginePerSecond: expect.closeTo(111.1, 1) });
    expect(rateOf([many])).toEqual({ perSecond: 150, enginePerSecond: undefined });
  });

  it('are medians of rounds, and ratios within each round', () => {
    const rounds = [
      { perSecond: 100, enginePerSecond: 102 },
      { perSecond: 10, enginePerSecond: 11 },
      { perSecond: 90 },
    ];
    expect(summaryOf({ rounds })).toMatchObject({ perSecond: 90, addedLatency: expect.closeTo(0.06) });
    const twice = { rounds: [50, 5, 30].map(perSecond => ({ perSecond })) };
    expect(ratioOf({ rounds }, twice)).toBe(2);
    expect(ratioOf({ rounds }, { ...twice, failure: 'gone' })).toBeUndefined();
    expect(ratioOf({ rounds: [] }, twice)).toBeUndefined();
  });
});

describe('the aims of the native benchmark', () => {
  const result = (row: string, model: string, cell: string, perSecond: number, more = {}) => ({
    ...{ row, model, cell, threads: 1, rounds: [{ perSecond }], perSecond },
    ...more,
  });

  it('compare the core with llama-server, and its consumer with its own clock on the large model', () => {
    const rows = [
      result('llama-server', 'demo', 'generation ×1', 100),
      result('core', 'demo', 'generation ×1', 95, { addedLatency: 0.5 }),
      result('llama-server', '59m', 'generation ×1', 100),
      result('core', '59m', 'generation ×1', 80, { addedLatency: 0.02 }),
      result('node-llama-cpp', '59m', 'generation ×1', 10, { addedLatency: 0.5 }),
      { ...result('core', '59m', 'prompt ×4', 0), rounds: [], absent: true },
    ];
    expect(aimsOf({ rows })).toEqual([
      { aim: 'core ÷ llama-server: generation ×1, demo, threads 1', value: 0.95, atLeast: 0.9 },
      { aim: 'core ÷ llama-server: generation ×1, 59m, threads 1', value: 0.8, atLeast: 0.9 },
      { aim: 'core, added latency per token in %: generation ×1, 59m, threads 1', value: 2, limit: 5 },
    ]);
  });

  it('are met at the bound, from above or below', () => {
    vi.spyOn(console, 'log').mockReturnValue();
    expect(
      printAims([
        { aim: 'few', value: 5, limit: 5 },
        { aim: 'many', value: 0.9, atLeast: 0.9 },
      ]),
    ).toBe(true);
    expect(printAims([{ aim: 'many', value: 0.89, atLeast: 0.9 }])).toBe(false);
  });
});

describe('the work of the native benchmark', () => {
  it('has prompts that never begin alike', () => {
    const prompts = [1, 2, 3].flatMap(seed => promptsOf('prompt', 4, `row ${seed}`));
    const beginnings = prompts.map((prompt: string) => prompt.split(' ').slice(1, 3).join(' '));
    expect(new Set(beginnings).size).toBe(12);
    expect(prompts[0].trim().split(' ')).toHaveLength(PROMPT_WORDS.prompt);
    expect(promptsOf('prompt', 4, 'row 1')).toEqual(prompts.slice(0, 4));
  });

  it('has a demo model that knows no end, and is else the same', () => {
    const model = readFileSync(new URL('../apps/demo-model/pilot.gguf', import.meta.url));
    const endless = withoutEnd(model);
    expect(endless.length).toBe(model.length);
    const changed = [...endless.keys()].filter(at => endless[at] !== model[at]);
    // Two strokes in each of three names, their three types, and two numbers.
    expect(changed).toHaveLength(6 + 3 + 2);
  });

  it('goes through the rows in turns, without those that are absent or have failed', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const asked: string[] = [];
    const row = (name: string, perSecond: number) => ({
      name,
      start: async () => ({
        measure: async (cell: { name: string }) => {
          asked.push(`${name} ${cell.name}`);
          if (name === 'broken') throw new Error('no memory\n    at somewhere');
          return { perSecond };
        },
        stop: async () => asked.push(`${name} stopped`),
      }),
    });
    const absent = { name: 'absent', start: async () => ({ absent: true }) };
    const rows = [row('one', 1), row('broken', 2), absent, row('two', 3)];
    const results = await measureGroup(
      rows,
      { label: 'a model', model: 'x.gguf', threads: 1 },
      { rounds: 2, leastMs: 0, warmUpMs: 0, groupMs: 60_000 },
    );
    const turns = CELLS.flatMap(({ name }) => [`one ${name}`, `two ${name}`]);
    const first = CELLS.flatMap(({ name }) => [`one ${name}`, `broken ${name}`, `two ${name}`]);
    const stopped = ['one', 'broken', 'two'].map(name => `${name} stopped`);
    expect(asked).toEqual([...first, ...turns, ...turns, ...stopped]);
    const of = (name: string) => results.find(({ row }: { row: string }) => row === name);
    expect(of('two')).toMatchObject({ threads: 1, cell: 'generation ×1', perSecond: 3 });
    expect(of('two').rounds).toHaveLength(2);
    expect(of('broken').failure).toBe('no memory');
    expect(of('absent')).toMatchObject({ absent: true, rounds: [] });
  });
});
