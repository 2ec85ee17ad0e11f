import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts', 'src/redis/index.ts'],
  format: 'esm',
  target: 'node20.18',
  dts: true,
  sourcemap: true,
  clean: true,
});
