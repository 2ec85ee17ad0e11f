// `pnpm bench:routing`: see bench/README.md.
import { ensureBuilt, ensureInstalled } from '../../scripts/workspace.mjs';
import { command, seedOf } from '../command.mjs';
import { importNodes } from '../nodes.mjs';
import { median, printAims, printMachine, printTable, writeResults } from '../report.mjs';
import { aimsOf } from './aims.mjs';
import { CALLS, measureStrategy, SCENARIOS } from './compare.mjs';
import { measureFailure } from './failure.mjs';

const STRATEGIES = ['round_robin', 'least_busy', 'affinity', 'balanced'];
const OURS = 'balanced';
/** The one that the aims are for. */
const MAIN = 'shared';
/** What the aims compare in more rounds: it goes up and down with the order in which agents happen to call. */
const ROUNDS = { round_robin: 3, least_busy: 1, affinity: 1, balanced: 3 };
const PARTS = [...Object.keys(SCENARIOS), 'failure'];

await command({ quick: { type: 'boolean' }, seed: { type: 'string', default: '1' } }, main);

async function main(values) {
  const seed = seedOf(values.seed);
  const parts = values.only.length > 0 ? values.only : [MAIN, 'failure'];
  const unknown = parts.find(part => !PARTS.includes(part));
  if (unknown !== undefined)
    throw new Error(`--only ${unknown} names nothing; there are: ${PARTS.join(', ')}`);
  await ensureInstalled();
  await ensureBuilt();
  const nodes = await importNodes('pool', 'pool-provider');
  printMachine();
  const results = { seed, rows: [] };
  for (const scenario of parts.filter(part => part in SCENARIOS)) {
    results.rows.push(...(await compare(nodes, scenario, runsOf(values.quick || scenario !== MAIN), seed)));
  }
  if (parts.includes('failure')) {
    process.stderr.write('failure, about a minute …\n');
    results.failure = await measureFailure(nodes, { strategy: OURS, seed });
    printTable('a node is killed, and comes back', ['', ''], failureCells(results.failure));
  }
  const aims = aimsOf(results, { main: MAIN, ours: OURS });
  const met = printAims(aims);
  console.log(`\nwritten: ${writeResults('routing', { ...results, aims }, values)}`);
  return values.check && !met ? 1 : 0;
}

/** @returns strategies and rounds, in turns, so that noise of the machine meets all */
function runsOf(isShort) {
  const strategies = isShort ? ['round_robin', OURS] : STRATEGIES;
  const rounds = Array.from({ length: isShort ? 1 : ROUNDS[OURS] }, (_, round) => round);
  return rounds.flatMap(round =>
    strategies.filter(strategy => round < ROUNDS[strategy]).map(strategy => ({ strategy, round })),
  );
}

/** Each run on fresh servers. */
async function compare(nodes, scenario, runs, seed) {
  const measured = new Map(STRATEGIES.map(strategy => [strategy, []]));
  for (const [index, { strategy, round }] of runs.entries()) {
    process.stderr.write(`${scenario}, run ${index + 1} of ${runs.length}: ${strategy} …`);
    const result = await measureStrategy(nodes, { strategy, scenario, seed: seed + round });
    const seconds = (result.totalMs / 1_000).toFixed(0);
    process.stderr.write(` ${result.evaluatedTokens} prompt tokens evaluated, ${seconds} s\n`);
    measured.get(strategy).push(result);
  }
  const rows = [...measured]
    .filter(([, results]) => results.length > 0)
    .map(([strategy, results]) => rowOf(scenario, strategy, results));
  printTable(
    `${scenario}: ${CALLS} calls a round, ${SCENARIOS[scenario].groups} groups`,
    [
      '',
      'rounds',
      'prompt tokens a round',
      'evaluated',
      'TTFT p50 ms',
      'p99 ms',
      'mean wait ms',
      's a round',
      'failed',
    ],
    rows.map(row => [
      row.strategy,
      row.rounds.length,
      row.promptTokens.toFixed(0),
      row.evaluatedTokens.toFixed(0),
      row.firstMsP50.toFixed(0),
      row.firstMsP99.toFixed(0),
      row.meanWaitMs.toFixed(0),
      (row.totalMs / 1_000).toFixed(0),
      row.failures.length,
    ]),
  );
  for (const { strategy, failures } of rows) for (const text of failures) console.log(`${strategy}: ${text}`);
  return rows;
}

/** Over all rounds: means of tokens and times, and the calls of all in one. */
function rowOf(scenario, strategy, results) {
  const mean = key => results.reduce((total, result) => total + result[key], 0) / results.length;
  const first = results.flatMap(({ firstMs }) => firstMs).sort((one, other) => one - other);
  const waits = results.flatMap(({ waitedMs }) => waitedMs);
  return {
    scenario,
    strategy,
    failures: results.flatMap(({ failures }) => failures),
    promptTokens: mean('promptTokens'),
    cachedTokens: mean('cachedTokens'),
    evaluatedTokens: mean('evaluatedTokens'),
    firstMsP50: median(first),
    firstMsP99: first[Math.floor(first.length * 0.99)],
    meanWaitMs: waits.reduce((total, wait) => total + wait, 0) / waits.length,
    totalMs: mean('totalMs'),
    rounds: results,
  };
}

function failureCells(failure) {
  const { silentAtTheEnd, streamingAtTheEnd, calls, triedAgain, lost, cut, callsAfterReturn } = failure;
  const usedAgain = failure.usedAgainAfterMs;
  return [
    ['calls', calls],
    ['at the node when it was killed, not begun', silentAtTheEnd],
    ['at the node when it was killed, streaming', streamingAtTheEnd],
    ['tried again', triedAgain],
    ['lost without having begun', lost],
    ['cut in mid-stream', cut],
    ['to the node after its return', callsAfterReturn],
    ['first of them after ms', usedAgain === undefined ? 'never' : usedAgain.toFixed(0)],
  ];
}
