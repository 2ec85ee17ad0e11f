import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { startGatewayProcess } from '../gateway-process.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const SOURCES = new URL('../../../../scripts/run-sources.mjs', import.meta.url).href;

/** Runs the command in a folder that has a good `gateway.yaml`, until it ends. */
async function run(...args: string[]): Promise<{ code: number; stderr: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'airframe-gateway-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'gateway.yaml'), 'providers: { a: { type: mock } }\nserver: { port: 0 }\n');
  const child = spawn(process.execPath, ['--conditions=@x/source', '--import', SOURCES, CLI, ...args], {
    cwd: folder,
    env: { ...process.env, INIT_CWD: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', chunk => {
    stderr += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, stderr };
}

it.each<[string, string[], number, string]>([
  ['a file that check was not asked for by --config', ['check', 'other.yaml'], 2, '--config'],
  ['a second name of a key', ['key', 'a', 'b'], 2, '"b"'],
  ['a name that no key can have', ['key', 'a b'], 2, 'a key cannot be named "a b"'],
  ['a command that there is not', ['start'], 2, '--help'],
  ['an address in brackets', ['--host', '[::1]'], 1, 'IPv6 without brackets'],
])('refuses %s with one line that says what to do', async (_, args, code, remedy) => {
  const ended = await run(...args);
  expect(ended.code).toBe(code);
  expect(ended.stderr).toMatch(/^error: [^\n]+\n$/);
  expect(ended.stderr).toContain(remedy);
});

it('shows a first request that is answered, whether there is a default model or not', async () => {
  const { url, output } = await startGatewayProcess({
    keys: undefined,
    providers: { a: { type: 'mock' } },
    models: { only: { targets: [{ provider: 'a' }] } },
  });
  const [, key = ''] = /Bearer (\S+)'/.exec(output()) ?? [];
  const [, body = ''] = /-d '(.*)'/.exec(output()) ?? [];
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body,
  });
  expect(answer.status).toBe(200);
});
