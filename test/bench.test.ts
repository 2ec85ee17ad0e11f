import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChild } from '../bench/child.mjs';
import { aimsOf } from '../bench/stream/aims.mjs';
import { measureScenario } from '../bench/stream/rounds.mjs';
import { functionOf, ROWS } from '../bench/stream/rows.mjs';
import { TEXT_50 } from '../bench/stream/scenarios.mjs';
import { expected, pathOf } from '../bench/stream/workload.mjs';
import * as airframe from '../packages/airframe/src/index.ts';
import * as avionics from '../packages/avionics/src/index.ts';

const SERVER = fileURLToPath(new URL('../bench/stream/server.mjs', import.meta.url));
const SHORTEST = { rounds: 1, roundMs: 0, warmUpMs: 0, againMs: 0 };
const rowsOf = (name: string) => ROWS.filter(({ imports }: { imports: string[] }) => imports.includes(name));

let server: Awaited<ReturnType<typeof startChild>>;
let origin: string;

beforeAll(async () => {
  server = await startChild(SERVER);
  ({ origin } = server.ready);
});
afterAll(() => server.stop());

describe('the stream benchmark', { timeout: 60_000 }, () => {
  it.each(['text', 'tools'])('measures its floors in processes of their own: %s', async kind => {
    const scenario = { name: 'few', kind, events: 120, perWrite: 50, streams: 3, calls: 2 };
    const results = await measureScenario(origin, rowsOf('undici'), scenario, SHORTEST);
    expect(results).toMatchObject([
      { row: 'bare', cpuMicrosPerEvent: expect.any(Number), peakRssMb: expect.any(Number) },
      { row: 'bare, anthropic', cpuMicrosPerEvent: expect.any(Number), peakRssMb: expect.any(Number) },
    ]);
    expect(results.map(({ failure }: { failure?: string }) => failure)).toEqual([undefined, undefined]);
  });

  it('counts a row that does not receive everything as failed', async () => {
    const scenario = { name: 'few', kind: 'text', events: 120, perWrite: 50, streams: 1, calls: 1 };
    const [result] = await measureScenario(`${origin}/nowhere`, rowsOf('undici'), scenario, SHORTEST);
    expect(result.failure).toMatch(/^received 0 events, 0 characters of 120, \d+$/);
    expect(result.cpuMicrosPerEvent).toBeUndefined();
  });

  const own = [...rowsOf('@x/airframe'), ...rowsOf('@x/avionics')];
  it.each(own.map((row: { name: string }) => [row.name, row]))(
    'has a row that receives everything: %s',
    async (_name, row) => {
      const make = await functionOf(row);
      for (const kind of row.kinds ?? ['text', 'numbered', 'tools', 'padded']) {
        for (const perWrite of [1, 50]) {
          const workload = { kind, events: 120, perWrite };
          const call = make(origin + pathOf(workload), { ...airframe, ...avionics }, kind);
          expect(await call()).toEqual(expected(workload));
        }
      }
    },
  );

  it('compares rows round by round, and leaves out what was not measured or has failed', () => {
    const result = (row: string, rounds: number[]) => ({ scenario: TEXT_50.name, row, rounds });
    const rows = [
      result('airframe', [3, 30, 4]),
      result('bare', [2, 20, 4]),
      { ...result('openai', []), failure: 'received nothing' },
    ];
    expect(aimsOf({ rows })).toEqual([{ aim: `airframe ÷ bare: ${TEXT_50.name}`, value: 1.5, limit: 1.3 }]);
  });
});
