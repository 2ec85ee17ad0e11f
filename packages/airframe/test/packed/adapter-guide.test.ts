import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pack } from '../../../../scripts/pack.mjs';
import { guideCommands, guideFiles } from '../../../../test/guide-files.ts';

const run = promisify(execFile);
const PAGE = 'add-an-adapter.md';
/** Installs, compiles, and the hundred and forty cases of the kit, on busy cores. */
const PATIENT = { timeout: 180_000 };
const INSTALL = 'npm install --save-dev @x/airframe';

describe('the toy adapter, made from the adapter guide alone, in an empty folder', PATIENT, () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'airframe-guide-'));
    for (const [file, content] of guideFiles(PAGE)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), content);
    }
    const tarball = await pack(fileURLToPath(new URL('../..', import.meta.url)), join(folder, 'packed'));
    await perform(INSTALL.replace('@x/airframe', tarball));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A command of the guide. What goes wrong is told with all that was printed. */
  async function perform(command: string, ...more: string[]): Promise<string> {
    const [program = '', ...args] = command.split(' ');
    // Nothing of this workspace's own run of vitest and npm.
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(?:VITEST|NODE_ENV|npm_(?!config_))/.test(name)),
    );
    try {
      return (await run(program, [...args, ...more], { cwd: folder, env })).stdout;
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${command} failed:\n${stdout}\n${stderr}`);
    }
  }

  it('is told to run what is run here', () => {
    expect(guideCommands(PAGE)).toEqual([INSTALL, 'npm run types', 'npm test', 'npm run build']);
  });

  it('compiles, as strict as it says', async () => {
    expect(JSON.parse(readFileSync(join(folder, 'tsconfig.json'), 'utf8')).compilerOptions.strict).toBe(true);
    await perform('npm run types');
  });

  it('passes its own tests and the conformance kit', async () => {
    await perform('npm test', '--', '--reporter=json', '--outputFile=report.json');
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'));
    expect(report).toMatchObject({ numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 });
    const ofTheKit = report.testResults.flatMap((file: { name: string; assertionResults: object[] }) =>
      file.name.endsWith('conformance.test.ts') ? file.assertionResults : [],
    );
    expect(ofTheKit.length).toBeGreaterThan(100);
    expect(report.numPassedTests).toBeGreaterThan(ofTheKit.length);
  });

  it('is a package that a project imports', async () => {
    await perform('npm run build');
    const program = "import('airframe-adapter-toy').then(toy => console.log(toy.toyAdapter().kind))";
    // A package may import itself by its name.
    const { stdout } = await run(process.execPath, ['-e', program], { cwd: folder });
    expect(stdout).toBe('toy\n');
  });
});
