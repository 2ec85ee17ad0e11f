// `pnpm bench:gateway`: see bench/README.md.
import { fileURLToPath } from 'node:url';
import { ensureBuilt, ensureInstalled } from '../../scripts/workspace.mjs';
import { startChild } from '../child.mjs';
import { command, named } from '../command.mjs';
import { ensurePeers, versionsOf } from '../peers.mjs';
import { printAims, printMachine, printTable, writeResults } from '../report.mjs';
import { aimsOf } from './aims.mjs';
import { microsPerEvent } from './figures.mjs';
import { measureOpen } from './open.mjs';
import { measureScenario, QUICK, startRows, stopRows, THOROUGH } from './rounds.mjs';
import { DIRECT, FLOOR, PEERS, PORTKEY, ROWS } from './rows.mjs';
import { OPEN, SCENARIOS, SLOPES } from './scenarios.mjs';

const file = name => fileURLToPath(new URL(name, import.meta.url));

await command({ quick: { type: 'boolean' } }, main);

async function main(values) {
  const { rows, parts } = chosen(values.only);
  const withPeers = rows.some(({ name }) => name === PORTKEY);
  await ensureInstalled();
  await ensureBuilt();
  if (withPeers) await ensurePeers(PEERS.set, `--only ${FLOOR}`);
  const versions = { ...versionsOf(['undici']), ...(withPeers && versionsOf(PEERS.packages, PEERS.set)) };
  printMachine(versions);
  const [upstream, load] = [await startChild(file('upstream.mjs')), await startChild(file('load.mjs'))];
  try {
    const plan = values.quick ? QUICK : THOROUGH;
    const results = await measure(upstream.ready.origin, load, { rows, parts, plan });
    const aims = aimsOf(results);
    const met = printAims(aims);
    console.log(`\nwritten: ${writeResults('gateway', { versions, ...results, aims }, values)}`);
    const failed = [...results.rows, ...results.open].some(({ failure }) => failure !== undefined);
    return failed || results.absent.length > 0 || (values.check && !met) ? 1 : 0;
  } finally {
    await load.stop();
    await upstream.stop();
  }
}

/** The rows and parts that are asked for, all of them where none is. What the rows are compared with comes along. */
function chosen(names) {
  const partNames = [...SCENARIOS, OPEN].map(({ name }) => name);
  const rowNames = ROWS.map(({ name }) => name);
  const wanted = named(names, [...rowNames, ...partNames]);
  const some = rowNames.filter(name => wanted.includes(name));
  const rows = ROWS.filter(({ name }) => some.length === 0 || [DIRECT, FLOOR, ...some].includes(name));
  const parts = partNames.filter(name => wanted.includes(name));
  return { rows, parts: parts.length > 0 ? parts : partNames };
}

async function measure(upstream, load, { rows, parts, plan }) {
  const { running, absent } = await startRows(rows, upstream, load, plan);
  const results = { rows: [], slopes: [], open: [], absent };
  for (const { row, failure } of absent) console.log(`${row} is left out: ${failure}`);
  try {
    for (const scenario of SCENARIOS.filter(({ name }) => parts.includes(name))) {
      const measured = await measureScenario(running, load, scenario, plan);
      printScenario(scenario, measured);
      results.rows.push(...measured);
    }
    results.slopes = slopesOf(results.rows, rows);
    printSlopes(results.slopes);
    if (parts.includes(OPEN.name)) {
      for (const row of running.filter(({ name }) => name !== DIRECT)) {
        results.open.push(await measureOpen(row, load, plan));
      }
      printOpen(results.open);
    }
  } finally {
    await stopRows(running);
  }
  return results;
}

/** CPU time of a streamed event, of each row and way of writing that was measured. */
function slopesOf(results, rows) {
  const find = (scenario, row) => results.find(one => one.scenario === scenario.name && one.row === row);
  return SLOPES.flatMap(({ name: writes, few, many }) =>
    rows.map(({ name: row }) => {
      const end = scenario => ({ events: scenario.events, result: find(scenario, row) });
      return { writes, row, cpuMicrosPerEvent: microsPerEvent(end(few), end(many)) };
    }),
  ).filter(({ cpuMicrosPerEvent }) => cpuMicrosPerEvent !== undefined);
}

function printScenario({ name }, results) {
  const ms = value => (Number.isNaN(value) ? '' : value.toFixed(2));
  const cells = results.map(({ row, failure, requestsPerSecond, cpuMicros, cpuRatio, first, last, rssMb }) =>
    failure !== undefined
      ? [row, 'FAILED', ...Array(9).fill('')]
      : [
          row,
          requestsPerSecond.toFixed(0),
          cpuMicros?.toFixed(0) ?? '',
          cpuRatio?.toFixed(2) ?? '',
          ...[first.p50, first.p99, last.p50, last.p99].map(ms),
          ...(row === DIRECT ? ['', ''] : [last.addedP50, last.addedP99].map(ms)),
          rssMb?.toFixed(0) ?? '',
        ],
  );
  const times = ['first byte p50', 'p99', 'last byte p50', 'p99', 'added p50', 'p99'];
  const headers = ['', 'requests/s', 'CPU µs/request', `× ${FLOOR}`, ...times, 'RSS MiB'];
  printTable(`${name} (times in ms)`, headers, cells);
  printFailures(results);
}

function printSlopes(slopes) {
  if (slopes.length === 0) return;
  const cells = slopes.map(({ writes, row, cpuMicrosPerEvent }) => [
    `${row}, ${writes}`,
    cpuMicrosPerEvent.toFixed(2),
  ]);
  printTable('a streamed event', ['', 'CPU µs'], cells);
}

function printOpen(results) {
  const cells = results.map(({ row, failure, beforeMb, rssMb, cpuShare }) =>
    failure === undefined
      ? [row, beforeMb.toFixed(0), rssMb.toFixed(0), (100 * cpuShare).toFixed(0)]
      : [row, 'FAILED', '', ''],
  );
  const title = `${OPEN.streams} ${OPEN.name}, an event each ${OPEN.everyMs} ms`;
  printTable(title, ['', 'RSS MiB before', 'RSS MiB', 'CPU %'], cells);
  printFailures(results);
}

function printFailures(results) {
  for (const { row, failure } of results) if (failure !== undefined) console.log(`${row}: ${failure}`);
}
