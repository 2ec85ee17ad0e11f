import { defineConfig } from 'vite';

export default defineConfig({
  esbuild: { jsx: 'automatic', legalComments: 'none' },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
