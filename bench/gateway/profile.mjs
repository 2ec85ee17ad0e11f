// `node bench/gateway/profile.mjs [--row gateway] [--seconds 10] [--events 20]`: where the CPU time of a row goes while 64
// connections call it. The whole profile is written for Chrome's DevTools.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt, ROOT } from '../../scripts/workspace.mjs';
import { startChild } from '../child.mjs';
import { command } from '../command.mjs';
import { ensurePeers } from '../peers.mjs';
import { printTable } from '../report.mjs';
import { groupOf, timesOf } from './profiles.mjs';
import { warmUp } from './rounds.mjs';
import { OURS, PEERS, PORTKEY, ROWS } from './rows.mjs';
import { FULL, SCENARIOS } from './scenarios.mjs';

/** CPU time before the profile, in milliseconds: V8 needs it to come to rest. */
const WARM_UP_MS = 5_000;
const TOP = 40;

const options = {
  row: { type: 'string', default: OURS },
  seconds: { type: 'string', default: '10' },
  events: { type: 'string', default: `${FULL.events}` },
};
const fileOf = name => fileURLToPath(new URL(name, import.meta.url));

await command(options, main);

async function main(values) {
  const row = ROWS.find(({ name }) => name === values.row);
  const scenario = SCENARIOS.find(
    ({ events, connections, everyMs }) =>
      `${events}` === values.events && connections === FULL.connections && everyMs === undefined,
  );
  if (!row || !scenario)
    throw new Error(`there is no row ${values.row}, or no scenario of ${values.events} events`);
  await ensureBuilt();
  if (row.name === PORTKEY) await ensurePeers(PEERS.set);
  const [upstream, load] = await Promise.all(
    ['upstream.mjs', 'load.mjs'].map(name => startChild(fileOf(name))),
  );
  try {
    const { stop, ...server } = await row.start(upstream.ready.origin);
    try {
      report(await profiled(server, load, scenario, Number(values.seconds) * 1_000), row.name);
    } finally {
      await stop();
    }
    return 0;
  } finally {
    await load.stop();
    await upstream.stop();
  }
}

async function profiled({ origin, headers, ask, usage }, load, scenario, ms) {
  await warmUp({ origin, headers, usage }, load, scenario, WARM_UP_MS);
  await ask({ tell: 'profile' });
  const before = await usage();
  const { requests } = await load.ask({ task: 'calls', ...scenario, origin, headers, ms });
  const { cpuMicros } = await usage();
  const { profile } = await ask({ tell: 'profiled' });
  return { profile, requests, cpuMicros: (cpuMicros - before.cpuMicros) / requests };
}

function report({ profile, requests, cpuMicros }, row) {
  const functions = timesOf(profile).filter(({ name }) => name !== '(idle)' && name !== '(root)');
  const sum = some => some.reduce((micros, { selfMicros }) => micros + selfMicros, 0);
  const total = sum(functions);
  const cells = micros => [(micros / requests).toFixed(2), ((100 * micros) / total).toFixed(1)];
  const groups = [...new Set(functions.map(groupOf))]
    .map(group => [group, sum(functions.filter(one => groupOf(one) === group))])
    .sort(([, one], [, other]) => other - one);
  const columns = ['µs/request', '%'];
  console.log(`${row}: ${requests} requests, ${cpuMicros.toFixed(0)} µs of CPU time each, all threads`);
  printTable(
    'by package, functions themselves',
    ['', ...columns],
    groups.map(([name, micros]) => [name, ...cells(micros)]),
  );
  printTable(
    'by function, itself',
    ['', ...columns, 'where'],
    functions.slice(0, TOP).map(one => [one.name, ...cells(one.selfMicros), placeOf(one)]),
  );
  const own = functions
    .filter(({ url }) => url !== '' && !url.startsWith('node:'))
    .sort((one, other) => other.totalMicros - one.totalMicros);
  printTable(
    'by function, with what it calls',
    ['', ...columns, 'where'],
    own.slice(0, TOP).map(one => [one.name, ...cells(one.totalMicros), placeOf(one)]),
  );
  const folder = join(ROOT, 'bench-results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'gateway.cpuprofile');
  writeFileSync(file, JSON.stringify(profile));
  console.log(`\nwritten: ${file}`);
}

function placeOf({ url, line }) {
  return url && `${url.replace(/^.*\/(node_modules|packages|apps)\//, '')}:${line}`;
}
