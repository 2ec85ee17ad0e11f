import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { ALONE, FILES } from './scenarios.mjs';

const source = { conditions: ['@x/source'] };
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const project = (name: string, include: string[], isolate: boolean) => ({
  root: path('../..'),
  resolve: source,
  ssr: { resolve: source },
  test: {
    name,
    include,
    isolate,
    setupFiles: [path('./observe.ts')],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // On a machine that does much else a wait of milliseconds may fail; the table says what had to be tried again.
    retry: 1,
  },
});

export default defineConfig({
  test: {
    reporters: [path('./reporter.mjs')],
    // Two at a time: some wait, and what they wait for is counted in milliseconds.
    maxWorkers: 2,
    projects: [
      // The modules of the gateway are read once, not once for each file.
      project('together', FILES, false),
      project('alone', ALONE, true),
    ],
  },
});
