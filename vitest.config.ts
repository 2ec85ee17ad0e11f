import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Tests run against the sources, not against dist. */
const source = { conditions: ['@x/source'] };
const shared = { resolve: source, ssr: { resolve: source } };

/** Ahead of every file whose calls carry keys. */
const setupFiles = [fileURLToPath(new URL('./test/no-secrets.ts', import.meta.url))];

/** Ahead of all files that run llama.cpp in the process. */
const globalSetup = [fileURLToPath(new URL('./test/built-addon.ts', import.meta.url))];

/** Tests with real parts run one file at a time: two cores have no room for more. */
const withRealParts = (
  name: string,
  folder = name,
  more: { execArgv?: string[]; setupFiles?: string[]; globalSetup?: string[] } = {},
) => ({
  ...shared,
  test: {
    name,
    ...more,
    include: [`{packages,apps}/*/test/${folder}/**/*.test.ts`],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
});

export default defineConfig({
  ...shared,
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['{packages,apps}/*/src/**/*.test.ts', 'test/*.test.ts'],
          setupFiles,
        },
      },
      {
        ...shared,
        test: { name: 'conformance', include: ['packages/*/test/conformance/**/*.test.ts'], setupFiles },
      },
      // The links and the code of all Markdown.
      { ...shared, test: { name: 'docs', include: ['test/docs/**/*.test.ts'], setupFiles } },
      withRealParts('fuzz'),
      // Each file has a process of its own, whose memory it measures.
      withRealParts('leaks', 'leaks', { execArgv: ['--expose-gc'] }),
      withRealParts('llama-server', 'llama-server', { setupFiles, globalSetup }),
      withRealParts('redis', 'redis', { setupFiles }),
      withRealParts('in-process', 'model', { setupFiles, globalSetup }),
      withRealParts('gateway', 'gateway', { setupFiles }),
      withRealParts('terminal', 'terminal', { globalSetup }),
      withRealParts('browser'),
      withRealParts('packed'),
    ],
  },
});
