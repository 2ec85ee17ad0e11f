// `pnpm sim:routing`: see sim/README.md.
import { readFileSync } from 'node:fs';
import { command, seedOf } from '../../bench/command.mjs';
import { importNodes } from '../../bench/nodes.mjs';
import { printAims, printTable, writeResults } from '../../bench/report.mjs';
import { ensureInstalled } from '../../scripts/workspace.mjs';
import { aimsOf } from './aims.mjs';
import { calibrate } from './calibrate.mjs';
import { SCENARIOS, STRATEGIES } from './scenarios.mjs';
import { simulate } from './simulate.mjs';

await command({ calibrate: { type: 'boolean' }, seed: { type: 'string', default: '1' } }, main);

async function main(values) {
  await ensureInstalled();
  if (values.calibrate) {
    const { file, content } = await calibrate();
    console.log(`${JSON.stringify(content, null, 2)}\nwritten: ${file}`);
    return 0;
  }
  const seed = seedOf(values.seed);
  const calibration = JSON.parse(readFileSync(new URL('calibration.json', import.meta.url), 'utf8'));
  const { NodeRouter } = await importNodes('router');
  const rows = chosen(values.only).flatMap(scenario => run({ NodeRouter, scenario, calibration, seed }));
  const aims = aimsOf(rows);
  const met = printAims(aims);
  console.log(`\nwritten: ${writeResults('routing-sim', { seed, calibration, rows, aims }, values)}`);
  return values.check && !met ? 1 : 0;
}

function chosen(names) {
  const found = SCENARIOS.filter(({ name }) => names.length === 0 || names.some(one => name.includes(one)));
  if (found.length > 0) return found;
  const all = SCENARIOS.map(({ name }) => `  ${name}`).join('\n');
  throw new Error(`--only ${names.join(' ')} names nothing; there are:\n${all}`);
}

function run({ NodeRouter, scenario, calibration, seed }) {
  const rows = STRATEGIES.map(strategy => {
    process.stderr.write(`${scenario.name}: ${strategy} …\n`);
    const results = simulate({ NodeRouter, strategy, scenario, speed: calibration, seed });
    return { scenario, strategy, ...results };
  });
  const percent = share => (100 * share).toFixed(1);
  printTable(
    scenario.name,
    [
      '',
      'calls',
      'TTFT p50 ms',
      'p99 ms',
      'held Mtok',
      'held %',
      'refused %',
      'or queued %',
      'waited by choice %',
      'max ÷ mean load',
      'µs/decision',
    ],
    rows.map(row => [
      row.strategy,
      row.calls,
      row.firstMsP50.toFixed(0),
      row.firstMsP99.toFixed(0),
      (row.heldTokens / 1e6).toFixed(2),
      percent(row.heldShare),
      percent(row.refusedShare),
      percent(row.overloadShare),
      percent(row.choiceShare),
      row.maxToMeanLoad.toFixed(2),
      row.microsPerDecision.toFixed(0),
    ]),
  );
  return rows;
}
