// The gate: format, lint, types, layering, build, package checks and all tests; ends with a summary.
// `node scripts/check.mjs NAME…` runs only the steps whose names contain one of the words.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, ROOT, run, turboEnv, withPnpm, workspaceFolders } from './workspace.mjs';

const bin = name => join(ROOT, 'node_modules', '.bin', name);
const reports = mkdtempSync(join(tmpdir(), 'airframe-check-'));

const published = () =>
  workspaceFolders().filter(
    folder => !JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')).private,
  );

const STEPS = [
  step('format and lint', () => run(bin('biome'), ['check', '.'])),
  step('layering', () => run(process.execPath, ['scripts/layering.mjs'])),
  step('build', () => withPnpm('turbo', ['run', 'build', '--output-logs=errors-only'], { env: turboEnv() })),
  step('types', () => withPnpm('turbo', ['run', 'types', '--output-logs=errors-only'], { env: turboEnv() })),
  step('publint', () =>
    each(published(), folder => withPnpm('publint', ['--strict', folder], { env: turboEnv() })),
  ),
  step('types as consumers see them (attw)', () =>
    each(published(), folder =>
      withPnpm('attw', ['--pack', folder, '--profile', 'esm-only', '--quiet'], { env: turboEnv() }),
    ),
  ),
  tests('unit'),
  tests('llama-server', 'against a real llama-server'),
  tests('in-process', 'with the in-process model'),
  tests('terminal', 'of the terminal app, as a user runs it'),
  tests('packed', 'of the packed tarballs, in empty projects'),
];

await ensureInstalled();
const wanted = process.argv.slice(2);
const chosen = STEPS.filter(({ name }) => wanted.length === 0 || wanted.some(word => name.includes(word)));
const results = [];
for (const { name, perform } of chosen) {
  console.log(`\n── ${name} ${'─'.repeat(Math.max(3, 90 - name.length))}`);
  const started = performance.now();
  const result = await perform();
  results.push({ name, ...result, seconds: (performance.now() - started) / 1000 });
}
rmSync(reports, { recursive: true, force: true });
summarise(results);

function step(name, perform) {
  return {
    name,
    perform: async () => ((await perform()) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }),
  };
}

/** One vitest project; the counts come from its JSON report. A project without a test has failed. */
function tests(project, what = '') {
  return {
    name: `tests: ${project}${what && `, ${what}`}`,
    perform: async () => {
      const report = join(reports, `${project}.json`);
      const output = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
      const code = await run(bin('vitest'), ['run', '--project', project, ...output]);
      if (!existsSync(report)) return { passed: 0, failed: 1 };
      const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(readFileSync(report, 'utf8'));
      // A file that fails to load has no failed test, but vitest says so by its exit code.
      return { passed, failed: failed || (code !== 0 || passed === 0 ? 1 : 0) };
    },
  };
}

async function each(folders, perform) {
  for (const folder of folders) {
    const code = await perform(folder);
    if (code !== 0) return code;
  }
  return 0;
}

function summarise(results) {
  const sum = key => results.reduce((total, result) => total + result[key], 0);
  console.log(`\n${'═'.repeat(96)}`);
  for (const { name, passed, failed, seconds } of results) {
    const outcome = failed ? `${passed} passed, ${failed} FAILED` : `${passed} passed`;
    console.log(`${name.padEnd(62)}${outcome.padEnd(22)}${seconds.toFixed(1).padStart(7)} s`);
  }
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
  process.exitCode = sum('failed') ? 1 : 0;
}
