import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SCRIPTS = fileURLToPath(new URL('../scripts', import.meta.url));
const VITEST = fileURLToPath(new URL('../node_modules/.bin/vitest', import.meta.url));
/** Stands where npm would: writes down what it is asked, and builds when it is asked to. */
const NPM = `#!/bin/sh
echo "$*" >> "$ROOT/log"
case "$*" in *"turbo run build"*)
  mkdir -p "$ROOT/packages/one/dist" "$ROOT/apps/terminal/dist"
  echo 1 > "$ROOT/packages/one/dist/index.js"
  echo 'console.log("started")' > "$ROOT/apps/terminal/dist/cli.js" ;;
esac
exit \${NPM_EXIT:-0}
`;

/** A small workspace under the real scripts. */
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'airframe-scripts-'));
  cpSync(SCRIPTS, join(root, 'scripts'), { recursive: true });
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'tsconfig.base.json', 'log']) write(file, '');
  write('package.json', { packageManager: 'pnpm@0', type: 'module' });
  write('bin/npm', NPM, 0o755);
  pack('packages/one', { name: '@x/one', exports: { '.': { default: './dist/index.js' } } });
  pack('apps/terminal', { name: '@x/terminal', bin: { x: './dist/cli.js' } });
  write('packages/one/src/index.ts', '1');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(file: string, content: string | object, mode = 0o644) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
  chmodSync(join(root, file), mode);
}

const pack = (folder: string, manifest: object) => write(join(folder, 'package.json'), manifest);
const log = () => readFileSync(join(root, 'log'), 'utf8');
const builds = () => log().split('turbo run build').length - 1;

async function script(name: string, args: string[] = [], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(root, 'scripts', name), ...args], {
    env: { PATH: `${join(root, 'bin')}:${process.env['PATH']}`, ROOT: root, ...env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', chunk => {
    stdout += chunk;
  });
  child.stderr.on('data', chunk => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>(resolve => child.on('close', resolve));
  return { code, stdout, stderr, lastLine: stdout.trimEnd().split('\n').at(-1) };
}

describe('npm start', { timeout: 60_000 }, () => {
  it('builds once, and again when a source changes or a built file is missing', async () => {
    expect(await script('start.mjs')).toMatchObject({ code: 0, stdout: 'started\n' });
    expect(builds()).toBe(1);
    await script('start.mjs');
    expect(builds()).toBe(1);
    write('packages/one/src/index.ts', 'longer');
    await script('start.mjs');
    expect(builds()).toBe(2);
    rmSync(join(root, 'packages/one/dist/index.js'));
    expect(await script('start.mjs')).toMatchObject({ code: 0, stdout: 'started\n' });
    expect(builds()).toBe(3);
  });

  it('leaves no file of an older build beside those of the new one', async () => {
    write('packages/one/dist/chunk-of-old.js', '1');
    await script('start.mjs');
    expect(existsSync(join(root, 'packages/one/dist/chunk-of-old.js'))).toBe(false);
    expect(existsSync(join(root, 'packages/one/dist/index.js'))).toBe(true);
  });

  it('tries again after a build that failed, although the source is back as it was', async () => {
    const [source, away] = [join(root, 'packages/one/src/index.ts'), join(root, 'index.ts')];
    await script('start.mjs');
    await script('start.mjs');
    const before = builds();
    renameSync(source, away);
    expect(await script('start.mjs', [], { NPM_EXIT: '1' })).toMatchObject({ code: 1, stdout: '' });
    renameSync(away, source);
    await script('start.mjs');
    expect(builds()).toBe(before + 2);
  });

  it('tries again after an install that failed', async () => {
    await script('start.mjs');
    write('pnpm-lock.yaml', 'changed');
    await script('start.mjs', [], { NPM_EXIT: '1' });
    write('pnpm-lock.yaml', '');
    await script('start.mjs');
    expect(log().split('pnpm install').length - 1).toBe(3);
  });
});

describe('the check', { timeout: 60_000 }, () => {
  it('refuses a step that it does not have, and lists those it has', async () => {
    const { code, stderr } = await script('check.mjs', ['nosuchstep']);
    expect(stderr).toMatch(/no step has "nosuchstep" in its name.*format and lint.*tests: packed/s);
    expect(code).toBe(1);
  });

  it('builds before it looks at what is built', async () => {
    write('node_modules/.bin/vitest', '#!/bin/sh\necho vitest >> "$ROOT/log"\n', 0o755);
    await script('check.mjs', ['unit']);
    expect(builds()).toBe(0);
    await script('check.mjs', ['terminal', 'packed']);
    expect(log()).toMatch(/vitest\n.*turbo run build.*\nvitest\nvitest\n$/);
    expect(builds()).toBe(1);
    await script('check.mjs', ['terminal'], { NPM_EXIT: '1' });
    expect(builds()).toBe(1);
    write('packages/one/src/index.ts', 'longer');
    const { code, stdout, lastLine } = await script('check.mjs', ['terminal'], { NPM_EXIT: '1' });
    expect({ code, lastLine }).toEqual({ code: 1, lastLine: '0 passed, 1 failed' });
    expect(stdout).not.toContain('vitest');
  });

  it('counts skipped tests, and fails over them where CI is set', async () => {
    write('node_modules/.bin/vitest', `#!/bin/sh\nexec "${VITEST}" "$@"\n`, 0o755);
    const unit = { name: 'unit', globals: true, include: ['a.test.mjs'] };
    write('vitest.config.mjs', `export default { test: { projects: [{ test: ${JSON.stringify(unit)} }] } };`);
    write('a.test.mjs', "it('a', () => {}); it.skip('b', () => {}); it.todo('c');");
    expect(await script('check.mjs', ['unit'])).toMatchObject({
      code: 0,
      lastLine: '1 passed, 0 failed, 2 skipped',
    });
    expect(await script('check.mjs', ['unit'], { CI: '1' })).toMatchObject({
      code: 1,
      lastLine: '1 passed, 0 failed, 2 skipped',
    });
    write('a.test.mjs', "it('a', () => {});");
    expect(await script('check.mjs', ['unit'], { CI: '1' })).toMatchObject({
      code: 0,
      lastLine: '1 passed, 0 failed',
    });
    // It starts the gate's script twice.
  }, 20_000);
});

describe('the layering check', () => {
  it('lets a package it does not know import airframe only, and apps everything', async () => {
    pack('apps/terminal', { name: '@x/terminal', dependencies: { '@x/avionics': '*' } });
    write('packages/one/src/index.ts', "import '@x/airframe';");
    expect(await script('layering.mjs')).toMatchObject({ code: 0 });
    write('packages/one/src/index.ts', "import type { LLMGateway } from '@x/avionics';");
    pack('packages/one', { name: '@x/one', peerDependencies: { '@x/avionics': '*' } });
    const { code, stderr } = await script('layering.mjs');
    expect(stderr.trim().split('\n')).toEqual([
      'packages/one/package.json depends on @x/avionics, which @x/one must not know',
      'packages/one/src/index.ts imports @x/avionics, which @x/one must not know',
    ]);
    expect(code).toBe(1);
  });
});

describe('the cached types', () => {
  it('depend on the sources of the packages below, and on what the tests share', async () => {
    const turbo = spawn(fileURLToPath(new URL('../node_modules/.bin/turbo', import.meta.url)), [
      'run',
      'types',
      '--dry=json',
      `--cwd=${fileURLToPath(new URL('..', import.meta.url))}`,
    ]);
    let stdout = '';
    turbo.stdout.on('data', chunk => {
      stdout += chunk;
    });
    await new Promise(resolve => turbo.on('close', resolve));
    const tasks: { taskId: string; inputs: object; dependencies: string[] }[] = JSON.parse(stdout).tasks;
    const task = tasks.find(({ taskId }) => taskId === '@x/avionics#types');
    expect(task?.dependencies).toEqual(
      expect.arrayContaining(['@x/airframe#types', '@x/llamacpp-native#types']),
    );
    expect(Object.keys(task?.inputs ?? {})).toEqual(
      expect.arrayContaining(['../../test/real-llama-server.ts', '../../scripts/workspace.d.mts']),
    );
  });
});
