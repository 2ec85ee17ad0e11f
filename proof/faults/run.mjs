// `pnpm proof:faults`: all that may fail, what is promised then, and what was seen. See proof/README.md.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, ROOT, run } from '../../scripts/workspace.mjs';
import { proof } from '../command.mjs';
import { judge, unclaimed } from './judge.mjs';
import { SCENARIOS } from './scenarios.mjs';

const CODE = ['packages/airframe/src', 'packages/avionics/src', 'apps/gateway/src'];

const shortened = text => (text.length > 220 ? `${text.slice(0, 219)}…` : text);

await proof('proof-faults', CODE, { verbose: { type: 'boolean' } }, main);

async function main(values) {
  await ensureInstalled();
  const startedAt = performance.now();
  const { tests, broken } = await runTests();
  const rows = judge(SCENARIOS, tests);
  const gaps = unclaimed(SCENARIOS, tests).map(({ key }) => `no row of the table speaks of ${key}`);
  printRows(rows, values.verbose);
  const problems = [...broken, ...gaps, ...rows.flatMap(({ problems = [] }) => problems)];
  for (const problem of problems) console.log(`  ${problem}`);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const held = rows.filter(row => row.held).length;
  console.log(`\n${held} of ${rows.length} promises held, in ${tests.length} tests, ${seconds} s`);
  const figures = { command: 'pnpm proof:faults', seconds, tests: tests.length, rows };
  return { held: problems.length === 0, figures };
}

async function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'proof-faults-'));
  const file = join(folder, 'facts.json');
  try {
    const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    const args = [vitest, 'run', '--config', join(ROOT, 'proof', 'faults', 'vitest.config.ts')];
    await run(process.execPath, args, {
      env: { ...process.env, PROOF_FACTS: file },
      stdio: ['ignore', process.stderr, process.stderr],
    });
    return JSON.parse(readFileSync(file, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function printRows(rows, verbose) {
  let part;
  for (const row of rows) {
    if (row.part !== part) console.log(`\n${row.part}\n${'─'.repeat(row.part.length)}`);
    part = row.part;
    console.log(
      `${row.held ? '✓' : '✗'} ${row.scenario} (${row.tests} ${row.tests === 1 ? 'test' : 'tests'}${row.again > 0 ? `, ${row.again} at the second try` : ''})`,
    );
    console.log(`    promised  ${row.promise}`);
    console.log(`    seen      ${verbose ? row.seen : shortened(row.seen)}`);
  }
}
