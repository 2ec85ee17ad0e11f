import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { index: 'src/index.ts', 'child-main': 'src/isolation/child-main.ts' },
  format: 'esm',
  target: 'node20.18',
  dts: { entry: 'src/index.ts' },
  sourcemap: true,
  clean: true,
});
