import { fileURLToPath } from 'node:url';
import { startChild } from '../child.mjs';
import { median } from '../report.mjs';
import { expected, pathOf } from './workload.mjs';

const MEASURE = fileURLToPath(new URL('measure.mjs', import.meta.url));

/**
 * How long to look, in milliseconds of CPU time: a round and the warm-up repeat a pass until they have taken so much,
 * so that fast rows are measured as well as slow ones; each round begins with `againMs` that do not count. V8 optimises, guesses wrong and optimises again for seconds: a row of many
 * functions comes to rest after four, the floor, which is one function, after one.
 */
export const THOROUGH = { rounds: 5, roundMs: 300, warmUpMs: 5000, againMs: 1000 };
export const QUICK = { rounds: 5, roundMs: 100, warmUpMs: 4000, againMs: 300 };

/**
 * Measures rows on one scenario, each in a process of its own that lasts, in turns (A B C A B C …) so that noise of
 * the machine meets all alike.
 * @returns per row: CPU microseconds per event of each of the rounds, and their median; or the `failure`
 */
export async function measureScenario(origin, rows, scenario, { rounds, roundMs, warmUpMs, againMs }) {
  const results = rows.map(({ name }) => ({ scenario: scenario.name, row: name, rounds: [] }));
  const children = [];
  const attempt = async (at, step) => {
    if (results[at].failure !== undefined) return;
    await step(results[at]).catch(error => {
      results[at].failure = error.message;
    });
    process.stderr.write('.');
  };
  const inTurn = async step => {
    for (const at of rows.keys()) await attempt(at, result => step(result, at));
  };
  process.stderr.write(scenario.name);
  await inTurn(async ({ row }, at) => {
    children[at] = await startChild(MEASURE, [row, origin + pathOf(scenario), scenario.kind]);
    await oneRound(children[at], scenario, 0, warmUpMs);
  });
  for (let round = 0; round < rounds; round++) {
    await inTurn(async (result, at) => {
      const { microsPerEvent, peakRssMb } = await oneRound(children[at], scenario, againMs, roundMs);
      result.rounds.push(microsPerEvent);
      result.peakRssMb = peakRssMb;
    });
  }
  process.stderr.write('\n');
  await Promise.all(children.map(child => child?.stop()));
  for (const result of results) {
    if (result.failure === undefined) result.cpuMicrosPerEvent = median(result.rounds);
  }
  return results;
}

/** @throws Error when not all that the server sent was received */
async function oneRound(child, scenario, againMs, leastMs) {
  const { passes, cpuMicros, peakRssMb } = await child.ask({ scenario, againMs, leastMs });
  const calls = scenario.streams * scenario.calls;
  const { events, chars } = expected(scenario);
  for (const received of passes) {
    if (received.events === events * calls && received.chars === chars * calls) continue;
    throw new Error(
      `received ${received.events} events, ${received.chars} characters of ${events * calls}, ${chars * calls}`,
    );
  }
  return { microsPerEvent: cpuMicros / (scenario.events * calls), peakRssMb };
}

/** How much more one row takes than another: the median over the rounds, each compared within itself. */
export function ratioOf(result, other) {
  if (!result || !other || result.failure !== undefined || other.failure !== undefined) return undefined;
  return median(result.rounds.map((micros, round) => micros / other.rounds[round]));
}
