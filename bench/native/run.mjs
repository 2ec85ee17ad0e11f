// `pnpm bench:native`: see bench/README.md.
import { ensureLlamaServer, ensureLlamaTools } from '../../packages/llamacpp-native/native/llama-cpp.mjs';
import { ensureBuilt, ensureInstalled } from '../../scripts/workspace.mjs';
import { command, named } from '../command.mjs';
import { printAims, printMachine, printTable, writeResults } from '../report.mjs';
import { aimsOf } from './aims.mjs';
import { CELLS } from './cells.mjs';
import { ratioOf } from './figures.mjs';
import { MODELS } from './models.mjs';
import { measureGroup, QUICK, THOROUGH } from './rounds.mjs';
import { FLOOR, ROWS } from './rows.mjs';

const THREADS = [1, 2];

const options = {
  quick: { type: 'boolean' },
  model: { type: 'string', multiple: true, default: [] },
  threads: { type: 'string', multiple: true, default: [] },
};
await command(options, main);

async function main(values) {
  const rows = chosenRows(values.only);
  const models = chosenModels(values.model);
  const threads = chosenThreads(values.threads);
  await ensureInstalled();
  await ensureBuilt();
  await ensureLlamaServer();
  await ensureLlamaTools({ targets: ['llama-bench'] });
  printMachine();
  const results = [];
  for (const model of models) {
    const path = await MODELS[model]();
    for (const count of threads) {
      const label = `${model}, ${count === 1 ? '1 thread' : `${count} threads`}`;
      const group = { label, model: path, threads: count };
      const measured = await measureGroup(rows, group, values.quick ? QUICK : THOROUGH);
      printGroup(label, measured);
      results.push(
        ...measured.map(result => ({ model, ...result, ratio: ratioOf(result, floorOf(result, measured)) })),
      );
    }
  }
  const aims = aimsOf({ rows: results });
  const met = printAims(aims);
  console.log(`\nwritten: ${writeResults('native', { rows: results, aims }, values)}`);
  const failed = results.some(({ failure }) => failure !== undefined);
  return failed || (values.check && !met) ? 1 : 0;
}

function chosenRows(only) {
  const wanted = named(
    only,
    ROWS.map(({ name }) => name),
  );
  return wanted.length === 0 ? ROWS : ROWS.filter(({ name }) => name === FLOOR || wanted.includes(name));
}

function chosenModels(names) {
  const unknown = names.find(name => !(name in MODELS));
  if (unknown === undefined) return names.length > 0 ? names : Object.keys(MODELS);
  throw new Error(`--model ${unknown} names nothing; there are: ${Object.keys(MODELS).join(', ')}`);
}

function chosenThreads(texts) {
  const wrong = texts.find(text => !/^[1-9]\d*$/.test(text));
  if (wrong === undefined) return texts.length > 0 ? texts.map(Number) : THREADS;
  throw new Error(`--threads ${wrong} is no number of threads; give one such as 2`);
}

function floorOf({ cell }, results) {
  return results.find(({ row, cell: other }) => row === FLOOR && other === cell);
}

function printGroup(label, results) {
  const names = [...new Set(results.map(({ row }) => row))];
  const find = (name, cell) => results.find(result => result.row === name && result.cell === cell.name);
  const cells = names.map(name => [name, ...CELLS.map(cell => textOf(find(name, cell), results))]);
  printTable(
    `${label}: tokens/s (× ${FLOOR}), medians of ${roundsOf(results)} rounds`,
    ['', ...CELLS.map(({ name }) => name)],
    cells,
  );
  const alone = CELLS.filter(({ requests }) => requests === 1);
  const own = names
    .filter(name => alone.some(cell => find(name, cell)?.enginePerSecond !== undefined))
    .map(name => [name, ...alone.flatMap(cell => engineTextOf(find(name, cell)))]);
  const headers = alone.flatMap(({ name }) => [name, 'added, %']);
  printTable(
    `${label}: tokens/s by the engine’s own clock, and what the consumer waits beyond it`,
    ['', ...headers],
    own,
  );
  for (const { row, cell, failure } of results)
    if (failure !== undefined) console.log(`${row}, ${cell}: ${failure}`);
}

function roundsOf(results) {
  return Math.max(...results.map(({ rounds }) => rounds.length));
}

function textOf(result, results) {
  if (result === undefined) return '';
  if (result.absent) return 'absent';
  if (result.failure !== undefined) return 'FAILED';
  const ratio = ratioOf(result, floorOf(result, results));
  return `${result.perSecond.toFixed(0)} (${ratio?.toFixed(2) ?? '–'})`;
}

function engineTextOf({ enginePerSecond, addedLatency }) {
  return enginePerSecond === undefined
    ? ['', '']
    : [enginePerSecond.toFixed(0), (100 * addedLatency).toFixed(1)];
}
