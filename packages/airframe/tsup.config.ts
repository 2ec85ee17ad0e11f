import { defineConfig, type Options } from 'tsup';

const subpaths = [
  'src/{adapters/*,conformance,registry/kubernetes,testing}/index.ts',
  'src/conformance/vitest.ts',
];

// zod goes in, and the root is one file: docs/decisions/0006-import-time.md. The sources are in the package.
const shared: Options = {
  format: 'esm',
  target: 'node20.18',
  sourcemap: true,
  minify: true,
  noExternal: ['zod'],
  esbuildOptions: options => Object.assign(options, { sourcesContent: false }),
};

export default defineConfig([
  { ...shared, entry: ['src/index.ts'] },
  { ...shared, entry: subpaths, outDir: 'dist' },
  { entry: ['src/index.ts', ...subpaths], format: 'esm', dts: { only: true } },
]);
