import { roundOf, summaryOf } from './figures.mjs';
import { DIRECT, FLOOR } from './rows.mjs';
import { FULL } from './scenarios.mjs';

/**
 * How long to look, in milliseconds. A row's process is warmed up once for all scenarios, with so much CPU time; each round
 * begins with `againMs` that do not count.
 */
export const THOROUGH = { rounds: 5, roundMs: 2_000, warmUpMs: 8_000, againMs: 500, openMs: 12_000 };
export const QUICK = { rounds: 2, roundMs: 700, warmUpMs: 8_000, againMs: 200, openMs: 5_000 };

/**
 * Starts the rows, each in a process of its own, and warms them up.
 * @returns those that `running`, and `absent`: the `failure` of each that could not be started, or whose answers are not whole
 */
export async function startRows(rows, upstream, load, { warmUpMs }) {
  const [running, absent] = [[], []];
  process.stderr.write('starting');
  for (const { name, start } of rows) {
    let row;
    try {
      row = await start(upstream);
      const ask = { ...FULL, origin: row.origin, headers: row.headers };
      for (const stream of [true, false]) await load.ask({ task: 'look', ...ask, stream });
      await warmUp(row, load, FULL, warmUpMs);
      running.push({ name, ...row });
    } catch (error) {
      await row?.stop();
      absent.push({ row: name, failure: firstLineOf(error) });
    }
    process.stderr.write('.');
  }
  process.stderr.write('\n');
  return { running, absent };
}

/** Calls until the row's process has used so much CPU time: on busy cores V8 takes the longer to come to rest. */
export async function warmUp({ origin, headers, usage }, load, scenario, leastMs) {
  const before = await usage?.();
  do await load.ask({ task: 'calls', ...scenario, origin, headers, ms: 250 });
  while (usage && (await usage()).cpuMicros - before.cpuMicros < leastMs * 1_000);
}

/** What a failure says, without the stack. */
export const firstLineOf = error => error.message.split('\n')[0].replace(/^Error: /, '');

export const stopRows = running => Promise.all(running.map(({ stop }) => stop()));

/**
 * Measures rows on one scenario in turns (A B C A B C …), so that noise of the machine meets all alike.
 * @returns per row the rounds and their medians, or the `failure`
 */
export async function measureScenario(running, load, scenario, { rounds, roundMs, againMs }) {
  const results = running.map(({ name: row }) => ({ scenario: scenario.name, row, rounds: [] }));
  process.stderr.write(scenario.name);
  for (let round = 0; round < rounds; round++) {
    for (const [at, row] of running.entries()) {
      if (results[at].failure !== undefined) continue;
      await oneRound(row, load, scenario, results[at], { roundMs, againMs }).catch(error => {
        results[at].failure = firstLineOf(error);
      });
      process.stderr.write('.');
    }
  }
  process.stderr.write('\n');
  const find = name => results.find(({ row }) => row === name);
  return results.map(result => summaryOf(result, find(DIRECT), find(FLOOR)));
}

async function oneRound({ origin, headers, usage }, load, scenario, result, { roundMs, againMs }) {
  const ask = { task: 'calls', ...scenario, origin, headers };
  await load.ask({ ...ask, ms: againMs });
  const before = await usage?.();
  const seen = await load.ask({ ...ask, ms: Math.max(roundMs, scenario.minMs ?? 0) });
  const after = await usage?.();
  result.rounds.push(roundOf(seen, after && after.cpuMicros - before.cpuMicros));
  if (after) result.rssMb = after.rssMb;
}
