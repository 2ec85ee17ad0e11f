import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts'],
  format: 'esm',
  target: 'node20.18',
  dts: true,
  sourcemap: true,
  // The sources are in the package.
  esbuildOptions: options => Object.assign(options, { sourcesContent: false }),
  clean: true,
});
