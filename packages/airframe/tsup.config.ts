import { defineConfig } from 'tsup';

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/{adapters/*,conformance,registry/kubernetes,testing}/index.ts',
    'src/conformance/vitest.ts',
  ],
  format: 'esm',
  target: 'node20.18',
  dts: true,
  sourcemap: true,
  // Only what is used of it: importing all of zod takes longer than all the rest (docs/decisions/0006-import-time.md).
  noExternal: ['zod'],
  // The sources are in the package.
  esbuildOptions: options => Object.assign(options, { sourcesContent: false }),
  clean: true,
});
