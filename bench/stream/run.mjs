// `pnpm bench:stream`: see bench/README.md.
import { fileURLToPath } from 'node:url';
import { ensureBuilt, ensureInstalled } from '../../scripts/workspace.mjs';
import { startChild } from '../child.mjs';
import { command, named } from '../command.mjs';
import { ensurePeers, versionsOf } from '../peers.mjs';
import { printAims, printMachine, printTable, writeResults } from '../report.mjs';
import { aimsOf } from './aims.mjs';
import { measureImports } from './imports.mjs';
import { measureScenario, QUICK, ratioOf, THOROUGH } from './rounds.mjs';
import { needsPeers, ROWS } from './rows.mjs';
import { SCENARIOS } from './scenarios.mjs';

const file = name => fileURLToPath(new URL(name, import.meta.url));

/** The two looks at memory. 51,200 events of 4 KB are 200 MB. */
const PROBES = [
  { name: 'memory added by 200 MB read slowly', limit: 20, ask: { probe: 'slow', events: 51_200 } },
  {
    name: 'memory added while 64 streams stall',
    limit: 20,
    ask: { probe: 'stalled', events: 51_200, streams: 64, ms: 3000 },
  },
];

/** The young generation has its full size from the start: its growth, in steps of 16 MB, says nothing of the reader. */
const FIXED_HEAP = ['--min-semi-space-size=16'];

await command({ quick: { type: 'boolean' } }, main);

async function main(values) {
  const { rows, parts } = chosen(values.only);
  await ensureInstalled();
  await ensureBuilt();
  if (rows.some(needsPeers)) await ensurePeers();
  const versions = versionsOf([...new Set(rows.flatMap(({ imports }) => imports))]);
  printMachine(versions);
  const server = await startChild(file('server.mjs'));
  try {
    const results = await measure(server.ready.origin, rows, parts, values.quick);
    const aims = aimsOf(results);
    const met = printAims(aims);
    console.log(`\nwritten: ${writeResults('stream', { versions, ...results, aims }, values)}`);
    const failed = results.rows.some(({ failure }) => failure !== undefined);
    return failed || (values.check && !met) ? 1 : 0;
  } finally {
    await server.stop();
  }
}

/** The rows and parts that are asked for, all of them where none is. Floors come along. */
function chosen(names) {
  const partNames = [...SCENARIOS, { name: 'memory' }, { name: 'import' }].map(({ name }) => name);
  const rowNames = ROWS.map(({ name }) => name);
  const wanted = named(names, [...rowNames, ...partNames]);
  const floors = ROWS.filter(({ name }) => wanted.includes(name)).map(({ floor }) => floor);
  const rows = ROWS.filter(({ name }) => wanted.includes(name) || floors.includes(name));
  const parts = partNames.filter(name => wanted.includes(name));
  return { rows: rows.length > 0 ? rows : ROWS, parts: parts.length > 0 ? parts : partNames };
}

async function measure(origin, rows, parts, quick) {
  const results = { rows: [], memory: [], imports: [] };
  for (const scenario of SCENARIOS.filter(({ name }) => parts.includes(name))) {
    const taking = rows.filter(({ kinds }) => !kinds || kinds.includes(scenario.kind));
    const measured = await measureScenario(origin, taking, scenario, quick ? QUICK : THOROUGH);
    for (const result of measured) {
      const { floor } = rows.find(({ name }) => name === result.row);
      result.ratio = ratioOf(
        result,
        measured.find(({ row }) => row === floor),
      );
    }
    printScenario(scenario, measured);
    results.rows.push(...measured);
  }
  if (parts.includes('memory')) results.memory = await measureMemory(origin);
  if (parts.includes('import')) {
    results.imports = await measureImports(rows, quick ? 5 : 11);
    const cells = results.imports.map(({ imports, wallMs, cpuMs }) => [
      imports,
      wallMs.toFixed(0),
      cpuMs.toFixed(0),
    ]);
    printTable('import, median', ['', 'ms', 'CPU ms'], cells);
  }
  return results;
}

function printScenario({ name }, results) {
  const cells = results.map(({ row, failure, cpuMicrosPerEvent, ratio, peakRssMb }) =>
    failure === undefined
      ? [row, cpuMicrosPerEvent.toFixed(2), ratio?.toFixed(2) ?? '', peakRssMb.toFixed(0)]
      : [row, 'FAILED', '', ''],
  );
  printTable(name, ['', 'CPU µs/event', '× bare', 'peak RSS MB'], cells);
  for (const { row, failure } of results) if (failure !== undefined) console.log(`${row}: ${failure}`);
}

async function measureMemory(origin) {
  const results = [];
  for (const { name, limit, ask } of PROBES) {
    process.stderr.write(`${name} …\n`);
    const child = await startChild(file('memory.mjs'), [], FIXED_HEAP);
    results.push({ name, limit, ...(await child.ask({ ...ask, origin })) });
    await child.stop();
  }
  return results;
}
