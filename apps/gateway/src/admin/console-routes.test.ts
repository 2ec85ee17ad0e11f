import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consoleRoutes } from './console-routes.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'gateway-console-'));
  mkdirSync(join(root, 'assets'));
  writeFileSync(join(root, 'index.html'), '<!doctype html>');
  writeFileSync(join(root, 'assets', 'index-1a2b.js'), '1');
});
afterAll(() => rmSync(root, { recursive: true }));

async function get(path: string, folder = root) {
  const app = fastify();
  await app.register(consoleRoutes, { root: folder });
  return app.inject(path);
}

describe('the console', () => {
  it('is a page that is asked for each time and runs nothing but its own scripts', async () => {
    const { statusCode, headers, body } = await get('/');
    expect([statusCode, body]).toEqual([200, '<!doctype html>']);
    expect(headers).toMatchObject({
      'cache-control': 'no-cache',
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(headers['content-security-policy']).not.toContain('unsafe');
  });

  it('has assets that are kept, for their names change with them', async () => {
    const { headers } = await get('/assets/index-1a2b.js');
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(headers['etag']).toBeDefined();
  });

  it('gives nothing else away', async () => {
    expect((await get('/assets/../../secret')).statusCode).toBe(404);
    expect((await get('/other')).statusCode).toBe(404);
  });

  it('says how to build it where it is not built', async () => {
    const { statusCode, body } = await get('/', join(root, 'nowhere'));
    expect([statusCode, body]).toEqual([404, expect.stringContaining('run `pnpm build`')]);
  });
});
