// The gate: format, lint, types, layering, build, package checks and all tests; ends with a summary.
// `node scripts/check.mjs NAME…` runs only the steps whose names contain one of the words.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import {
  build,
  ensureBuilt,
  ensureInstalled,
  ROOT,
  run,
  turboEnv,
  withPnpm,
  workspaceFolders,
} from './workspace.mjs';

const bin = name => join(ROOT, 'node_modules', '.bin', name);

const published = () =>
  workspaceFolders().filter(
    folder => !JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')).private,
  );

const FAILED = { passed: 0, failed: 1 };

const STEPS = [
  step('format and lint', () => run(bin('biome'), ['check', '.'])),
  step('layering', () => run(process.execPath, ['scripts/layering.mjs'])),
  step('licences of the dependencies', () => run(process.execPath, ['scripts/licences.mjs'])),
  step('audit of the production dependencies', () => run(process.execPath, ['scripts/audit.mjs'])),
  step('list of dependencies (sbom)', () => run(process.execPath, ['scripts/sbom.mjs'])),
  step('build', build),
  step('types', () => withPnpm('turbo', ['run', 'types', '--output-logs=errors-only'], { env: turboEnv() })),
  onDist(
    step('publint', () =>
      each(published(), folder => withPnpm('publint', ['--strict', folder], { env: turboEnv() })),
    ),
  ),
  onDist(
    step('types as consumers see them (attw)', () =>
      each(published(), folder =>
        withPnpm('attw', ['--pack', folder, '--profile', 'esm-only', '--quiet'], { env: turboEnv() }),
      ),
    ),
  ),
  step('docs site, with the API reference', () => run(process.execPath, ['scripts/docs.mjs', 'build'])),
  onDist(step('sizes', () => run(process.execPath, ['scripts/sizes.mjs']))),
  tests('unit', '', 2),
  tests('conformance', 'of the published kit, on every adapter', 4),
  tests('docs', 'of the links and the code in all Markdown', 2),
  tests('fuzz', 'the event parser against a reference'),
  tests('leaks', 'of memory, sockets and listeners'),
  tests('llama-server', 'against a real llama-server'),
  tests('redis', 'against a real Redis'),
  tests('in-process', 'with the in-process model'),
  tests('gateway', 'of the gateway server, with real clients'),
  onDist(tests('terminal', 'of the terminal app, as a user runs it')),
  onDist(tests('browser', 'of the console, in a real browser')),
  onDist(tests('packed', 'of the packed tarballs, in empty projects')),
];

const wanted = process.argv.slice(2);
const unknown = wanted.find(word => !STEPS.some(({ name }) => name.includes(word)));
if (unknown !== undefined) {
  const names = STEPS.map(({ name }) => `  ${name}`).join('\n');
  console.error(`no step has ${JSON.stringify(unknown)} in its name; the steps are:\n${names}`);
  process.exit(1);
}
const chosen = STEPS.filter(({ name }) => wanted.length === 0 || wanted.some(word => name.includes(word)));
await ensureInstalled();
const reports = mkdtempSync(join(tmpdir(), 'airframe-check-'));
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
    perform: async () => ((await perform()) === 0 ? { passed: 1, failed: 0 } : FAILED),
  };
}

/** A step that looks at dist, and so must not find an old one. */
function onDist({ name, perform }) {
  return {
    name,
    perform: async () => {
      try {
        await ensureBuilt();
      } catch (error) {
        console.error(error.message);
        return FAILED;
      }
      return perform();
    },
  };
}

/**
 * One vitest project; the counts come from its JSON report. A project without a test has failed.
 * @param workers files at a time: as many as there are cores where they calculate, more where they wait
 */
function tests(project, what = '', workers = 1) {
  return {
    name: `tests: ${project}${what && `, ${what}`}`,
    perform: async () => {
      const report = join(reports, `${project}.json`);
      const output = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
      const code = await run(bin('vitest'), [
        'run',
        '--project',
        project,
        `--maxWorkers=${workers}`,
        ...output,
      ]);
      if (!existsSync(report)) return FAILED;
      const counts = JSON.parse(readFileSync(report, 'utf8'));
      const { numPassedTests: passed, numFailedTests: failed } = counts;
      const skipped = counts.numPendingTests + counts.numTodoTests;
      // A file that fails to load has no failed test, but vitest says so by its exit code.
      const names = failuresIn(counts.testResults);
      return { passed, failed: failed || (code !== 0 || passed === 0 ? 1 : 0), skipped, names };
    },
  };
}

/** One line a failed test, so that who has only the end of the output knows which. */
function failuresIn(files) {
  return files.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    const lines = failed.map(test => [test.fullName, test.failureMessages[0]]);
    if (lines.length === 0 && message) lines.push(['the file itself', message]);
    return lines.map(([test, why]) => `${relative(ROOT, name)}: ${test}: ${String(why).split('\n')[0]}`);
  });
}

async function each(folders, perform) {
  for (const folder of folders) {
    const code = await perform(folder);
    if (code !== 0) return code;
  }
  return 0;
}

function summarise(results) {
  const sum = key => results.reduce((total, result) => total + (result[key] ?? 0), 0);
  const skippedPart = skipped => (skipped ? `, ${skipped} skipped` : '');
  console.log(`\n${'═'.repeat(96)}`);
  for (const { name, passed, failed, skipped, seconds } of results) {
    const outcome = `${passed} passed${failed ? `, ${failed} FAILED` : ''}${skippedPart(skipped)}`;
    console.log(`${name.padEnd(62)}${outcome.padEnd(22)}${seconds.toFixed(1).padStart(7)} s`);
  }
  for (const line of results.flatMap(({ names = [] }) => names)) console.log(`\nFAILED ${line}`);
  const missing = process.env.CI ? sum('skipped') : 0;
  if (missing) console.log('\nCI is set: a skipped test fails the check');
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed${skippedPart(sum('skipped'))}`);
  process.exitCode = sum('failed') || missing ? 1 : 0;
}
