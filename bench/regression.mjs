// `node bench/regression.mjs BASE.json CHANGE.json`: whether a change made a benchmark's ratios worse. Exit code 1 where it did.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { printTable } from './report.mjs';

/** The aims that compare two rows of one run; times and sizes depend on the machine. */
const isRatio = ({ aim }) => aim.includes('÷');

/**
 * @param base aims of a run, as in its JSON: `{ aim, value, limit }`, or `atLeast` for what is to be large
 * @param tolerance percent that a ratio may be worse
 * @returns `{ aim, before, after, worse, regressed }` of each ratio that both have; `worse` in percent
 */
export function compareRatios(base, change, tolerance) {
  return change.filter(isRatio).flatMap(({ aim, value: after, atLeast }) => {
    const before = base.find(one => one.aim === aim)?.value;
    if (before === undefined) return [];
    const worse = 100 * (atLeast === undefined ? after / before - 1 : before / after - 1);
    return [{ aim, before, after, worse, regressed: worse > tolerance }];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main();

function main() {
  const options = { tolerance: { type: 'string', default: '15' } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const tolerance = Number(values.tolerance);
  if (positionals.length !== 2 || !(tolerance >= 0)) {
    console.error('Usage: node bench/regression.mjs BASE.json CHANGE.json [--tolerance PERCENT]');
    return 1;
  }
  const [base, change] = positionals.map(file => JSON.parse(readFileSync(file, 'utf8')).aims);
  const rows = compareRatios(base, change, tolerance);
  if (rows.length === 0) {
    console.error('the two runs have no ratio in common; run both with the same options');
    return 1;
  }
  printTable(
    `Ratios; more than ${tolerance} % worse is a regression`,
    ['', 'base', 'change', 'worse by', ''],
    rows.map(({ aim, before, after, worse, regressed }) => [
      aim,
      before.toFixed(2),
      after.toFixed(2),
      `${worse.toFixed(1)} %`,
      regressed ? 'REGRESSED' : '',
    ]),
  );
  return rows.some(({ regressed }) => regressed) ? 1 : 0;
}
