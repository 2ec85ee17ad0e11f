import { defineConfig } from 'vitest/config';

/** Tests run against the sources, not against dist. */
const source = { conditions: ['@x/source'] };
const shared = { resolve: source, ssr: { resolve: source } };

/** Tests with real parts run one file at a time: two cores have no room for more. */
const withRealParts = (name: string, folder = name, execArgv: string[] = []) => ({
  ...shared,
  test: {
    name,
    execArgv,
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
        test: { name: 'unit', include: ['{packages,apps}/*/src/**/*.test.ts', 'test/*.test.ts'] },
      },
      {
        ...shared,
        test: { name: 'conformance', include: ['packages/*/test/conformance/**/*.test.ts'] },
      },
      withRealParts('fuzz'),
      // Each file has a process of its own, whose memory it measures.
      withRealParts('leaks', 'leaks', ['--expose-gc']),
      withRealParts('llama-server'),
      withRealParts('in-process', 'model'),
      withRealParts('terminal'),
      withRealParts('packed'),
    ],
  },
});
