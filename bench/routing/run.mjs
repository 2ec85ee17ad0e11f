// `pnpm bench:routing`: see bench/README.md.
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled } from '../../scripts/workspace.mjs';
import { importNodes } from '../nodes.mjs';
import { machine, median, printAims, printTable, writeResults } from '../report.mjs';
import { aimsOf } from './aims.mjs';
import { CALLS, measureStrategy, SCENARIOS } from './compare.mjs';
import { measureFailure } from './failure.mjs';

const SEED = 1;
const STRATEGIES = ['round_robin', 'least_busy', 'affinity', 'balanced'];
const OURS = 'balanced';
/** Rounds in which the strategies take turns. */
const ROUNDS = { scarce: 2, ample: 1 };
const PARTS = [...Object.keys(SCENARIOS), 'failure'];

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  const { values } = parseArgs({
    options: {
      check: { type: 'boolean' },
      quick: { type: 'boolean' },
      only: { type: 'string', multiple: true },
    },
  });
  const parts = values.only ?? (values.quick ? ['scarce', 'failure'] : PARTS);
  const unknown = parts.find(part => !PARTS.includes(part));
  if (unknown !== undefined)
    throw new Error(`--only ${unknown} names nothing; there are: ${PARTS.join(', ')}`);
  await ensureInstalled();
  await ensureBuilt();
  const nodes = await importNodes('pool', 'pool-provider');
  console.log(
    Object.entries(machine())
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );
  const results = { rows: [] };
  for (const scenario of parts.filter(part => part in SCENARIOS)) {
    const strategies = values.quick ? ['round_robin', OURS] : STRATEGIES;
    results.rows.push(...(await compare(nodes, scenario, strategies, values.quick ? 1 : ROUNDS[scenario])));
  }
  if (parts.includes('failure')) {
    process.stderr.write('failure …\n');
    results.failure = await measureFailure(nodes, { strategy: OURS, seed: SEED });
    printTable('a node is killed, and comes back', ['', ''], failureCells(results.failure));
  }
  const aims = aimsOf(results, OURS);
  const met = printAims(aims);
  console.log(`\nwritten: ${writeResults('routing', { ...results, aims })}`);
  return values.check && !met ? 1 : 0;
}

/** In turns, so that noise of the machine meets all; each on fresh servers. */
async function compare(nodes, scenario, strategies, rounds) {
  const measured = new Map(strategies.map(strategy => [strategy, []]));
  for (let round = 0; round < rounds; round++) {
    for (const strategy of strategies) {
      process.stderr.write(`${scenario}, round ${round + 1} of ${rounds}: ${strategy} …\n`);
      measured.get(strategy).push(await measureStrategy(nodes, { strategy, scenario, seed: SEED + round }));
    }
  }
  const rows = [...measured].map(([strategy, results]) => rowOf(scenario, strategy, results));
  printTable(
    `${scenario}: ${CALLS} calls a round, ${SCENARIOS[scenario].groups} groups`,
    ['', 'prompt tokens', 'evaluated', 'TTFT p50 ms', 'p99 ms', 'mean wait ms', 'total s', 'failed'],
    rows.map(row => [
      row.strategy,
      row.promptTokens,
      row.evaluatedTokens,
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

/** Over all rounds: sums of tokens and times, and the calls of all in one. */
function rowOf(scenario, strategy, results) {
  const sum = key => results.reduce((total, result) => total + result[key], 0);
  const first = results.flatMap(({ firstMs }) => firstMs).sort((one, other) => one - other);
  const waits = results.flatMap(({ waitedMs }) => waitedMs);
  return {
    scenario,
    strategy,
    calls: sum('calls'),
    failures: results.flatMap(({ failures }) => failures),
    promptTokens: sum('promptTokens'),
    cachedTokens: sum('cachedTokens'),
    evaluatedTokens: sum('evaluatedTokens'),
    firstMsP50: median(first),
    firstMsP99: first[Math.floor(first.length * 0.99)],
    meanWaitMs: waits.reduce((total, wait) => total + wait, 0) / waits.length,
    totalMs: sum('totalMs'),
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
