import { defineConfig } from 'vite';

const GATEWAY = process.env['GATEWAY_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  esbuild: { jsx: 'automatic', legalComments: 'none' },
  // `vite` serves the page while it is worked on; a gateway answers it.
  server: { proxy: { '/admin': GATEWAY, '/v1': GATEWAY } },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
