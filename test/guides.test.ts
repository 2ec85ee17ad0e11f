import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const GUIDE = join(ROOT, 'docs/guides/testing.md');
/** Below the package whose imports the guide has. */
const FOLDER = join(ROOT, 'packages/avionics/node_modules/.cache/guides');

/** The TypeScript of the guide: a fence is a file, together with those that continue it. */
function modulesOfGuide(): string[] {
  const modules: string[] = [];
  const fences = readFileSync(GUIDE, 'utf8').matchAll(/(<!-- continues -->\s*)?^```ts\n([\s\S]*?)^```/gm);
  for (const [, continues, code = ''] of fences) {
    if (continues) modules.push(`${modules.pop()}${code}`);
    else modules.push(code);
  }
  return modules;
}

/** @returns names of the tests and their states, and what was printed */
async function runTests(modules: readonly string[]) {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  onTestFinished(() => rmSync(FOLDER, { recursive: true, force: true }));
  for (const [index, code] of modules.entries()) writeFileSync(join(FOLDER, `guide-${index}.test.ts`), code);
  const source = { conditions: ['@x/source'] };
  const config = {
    resolve: source,
    ssr: { resolve: source },
    test: { include: ['*.test.ts'], exclude: [], environment: 'node' },
  };
  const file = join(FOLDER, 'vitest.config.mjs');
  writeFileSync(file, `export default ${JSON.stringify(config)};`);
  const report = join(FOLDER, 'report.json');
  const output = ['--reporter=json', `--outputFile=${report}`];
  const args = ['run', '--root', FOLDER, '--config', file, ...output];
  const child = spawn(join(ROOT, 'node_modules/.bin/vitest'), args, { cwd: FOLDER });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (printed += chunk));
  await new Promise(resolve => child.on('close', resolve));
  const { testResults }: Report = JSON.parse(readFileSync(report, 'utf8'));
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  return { files: testResults.length, results, printed };
}

interface Report {
  testResults: { assertionResults: { title: string; status: string; failureMessages: string[] }[] }[];
}

describe('the guide to tests', () => {
  it('has tests that pass', { timeout: 120_000 }, async () => {
    const modules = modulesOfGuide();
    const { files, results, printed } = await runTests(modules);
    expect(files, printed).toBe(modules.length);
    const failed = results.filter(({ status }) => status !== 'passed');
    expect(failed).toEqual([]);
    expect(results.length).toBeGreaterThan(7);
  });
});
