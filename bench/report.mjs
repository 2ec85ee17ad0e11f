// How the benchmarks tell their results.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { figuresOf } from '../scripts/figures.mjs';
import { ROOT } from '../scripts/workspace.mjs';
import { BENCHES } from './benches.mjs';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Prints rows in columns: the first to the left, the others to the right. */
export function printTable(title, headers, rows) {
  const cells = [headers, ...rows].map(row => row.map(String));
  const widths = headers.map((_, column) => Math.max(...cells.map(row => row[column].length)));
  const line = row =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[at]))).join('  ');
  const [head, ...body] = cells.map(line);
  console.log(`\n${title}\n${head}\n${'─'.repeat(head.length)}\n${body.join('\n')}`);
}

/** Says on what it runs. @param versions of packages, by name */
export function printMachine(versions = {}) {
  const facts = Object.entries({ ...machine(), ...versions });
  console.log(facts.map(([name, value]) => `${name} ${value}`).join(', '));
}

export function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
  };
}

/**
 * @param values those of the command line: `--json FILE` gets the results in the form of the docs' figures
 * @returns the files written, the first of them `bench-results/<name>.json`
 */
export function writeResults(name, results, { json, quick, only = [] }) {
  const folder = join(ROOT, 'bench-results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  const content = { bench: name, measuredAt: new Date().toISOString(), machine: machine(), ...results };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  if (!json) return file;
  const { command, code } = BENCHES[name];
  const asked = [command, ...(quick ? ['--quick'] : []), ...only.map(one => `--only ${JSON.stringify(one)}`)];
  const figures = figuresOf(
    { name: `bench-${name}`, command: asked.join(' '), machine: machine(), ...results },
    code,
  );
  writeFileSync(resolve(json), `${JSON.stringify(figures, shortened, 2)}\n`);
  return `${file}, ${json}`;
}

/** Figures keep six digits, and of the rounds their number. */
function shortened(key, value) {
  if (key === 'rounds' && Array.isArray(value)) return value.length;
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}

/**
 * Prints what was aimed at and what came out.
 * @param aims `{ aim, value, limit }` each: met when the value is at most the limit; or at least, with `atLeast` for it
 * @returns whether all were met
 */
export function printAims(aims) {
  if (aims.length === 0) return true;
  const isMet = ({ value, limit, atLeast }) => (limit === undefined ? value >= atLeast : value <= limit);
  const bound = ({ limit, atLeast }) => (limit === undefined ? `≥ ${atLeast}` : `≤ ${limit}`);
  const rows = aims.map(one => [one.aim, one.value.toFixed(2), bound(one), isMet(one) ? 'met' : 'MISSED']);
  printTable('Aims', ['', 'measured', 'aim', ''], rows);
  return aims.every(isMet);
}
