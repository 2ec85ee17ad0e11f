import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { FILES } from './scenarios.mjs';

const source = { conditions: ['@x/source'] };
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export default defineConfig({
  root: path('../..'),
  resolve: source,
  ssr: { resolve: source },
  test: {
    include: FILES,
    setupFiles: [path('./observe.ts')],
    reporters: [path('./reporter.mjs')],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The modules of the gateway are read once, not once for each file.
    isolate: false,
    // Two at a time: some wait, and what they wait for is counted in milliseconds.
    maxWorkers: 2,
  },
});
