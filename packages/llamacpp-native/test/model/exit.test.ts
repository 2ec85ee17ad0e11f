import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../../test/resources.ts';
import { findAddon } from '../../src/core/addon.ts';
import { DEMO_MODEL } from '../demo-model.ts';
import { isRunning } from '../engine-processes.ts';
import { ENGINES } from '../engines.ts';

// Inside the package, so that the child finds the binding; ignored by git as node_modules.
const outDir = fileURLToPath(new URL('../../node_modules/.cache/exit-test', import.meta.url));
const source = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

beforeAll(() =>
  build({
    entry: {
      'exit-child': source('test/exit-child.ts'),
      'killed-parent': source('test/killed-parent.ts'),
      // As in dist: beside whatever starts it.
      'child-main': source('src/isolation/child-main.ts'),
    },
    outDir,
    config: false,
    format: 'esm',
    outExtension: () => ({ js: '.mjs' }),
    silent: true,
    platform: 'node',
    external: ['node-llama-cpp'],
    noExternal: [/^(?!node-llama-cpp)/],
    // undici is CommonJS.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    esbuildOptions: options => {
      options.conditions = ['@x/source'];
    },
  }),
);
afterAll(() => rm(outDir, { recursive: true, force: true }));

// The folder `native`, by which the addon is found, is not beside the bundle.
const env = { ...process.env, LLAMACPP_ADDON_PATH: findAddon() };

const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['--no-warnings', `${outDir}/exit-child.mjs`, DEMO_MODEL, ...args], {
    timeout: 30_000,
    env,
  });

describe.each(ENGINES)('a process with the engine %s', engine => {
  it.each(['none', 'process'])(
    'exits by itself after close, and prints nothing of llama.cpp, isolation: %s',
    async isolation => {
      const { stdout, stderr } = await run(engine, isolation);
      expect(stdout).toMatch(/^answered \d+ tokens\nclosed\n$/);
      expect(stderr).toBe('');
    },
  );

  it('is not kept alive by an engine in a process of its own', async () => {
    const { stdout } = await run(engine, 'process', 'leave');
    expect(stdout).toMatch(/^answered \d+ tokens\n$/);
  });

  it('exits as it is told in the midst of answers', async () => {
    for (let time = 0; time < 5; time++) {
      const { stdout, stderr } = await run(engine, 'none', 'exit');
      expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^answered/), stderr: '' });
    }
  });
});

describe('a process', () => {
  it('takes its engines’ processes along when it is killed', async () => {
    const parent = spawn(process.execPath, [`${outDir}/killed-parent.mjs`, DEMO_MODEL], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout, 'data');
    const pids = String(line).trim().split(' ').map(Number);
    expect(pids).toHaveLength(2);
    expect(pids.every(isRunning)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !pids.some(isRunning));
  });
});
