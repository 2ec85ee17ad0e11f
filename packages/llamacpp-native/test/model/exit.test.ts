import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEMO_MODEL } from '../demo-model.ts';

// Inside the package, so that the child finds the binding; ignored by git as node_modules.
const outDir = fileURLToPath(new URL('../../node_modules/.cache/exit-test', import.meta.url));

beforeAll(() =>
  build({
    entry: [fileURLToPath(new URL('../exit-child.ts', import.meta.url))],
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
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    esbuildOptions: options => {
      options.conditions = ['@x/source'];
    },
  }),
);
afterAll(() => rm(outDir, { recursive: true, force: true }));

describe('a process', () => {
  it('exits by itself after close, and prints nothing of llama.cpp', async () => {
    const args = ['--no-warnings', `${outDir}/exit-child.mjs`, DEMO_MODEL];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
    expect(stdout).toMatch(/^answered \d+ tokens\nclosed\n$/);
    expect(stderr).toBe('');
  });
});
