import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** Stands where npm would, and prints what pnpm would have. */
const NPM = `#!/bin/sh
printf '%s' "$STDOUT"
printf '%s' "$STDERR" >&2
exit \${NPM_EXIT:-0}
`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'airframe-checks-'));
  cpSync(fileURLToPath(new URL('../scripts', import.meta.url)), join(root, 'scripts'), { recursive: true });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ packageManager: 'pnpm@0', type: 'module' }));
  mkdirSync(join(root, 'bin'));
  writeFileSync(join(root, 'bin', 'npm'), NPM);
  chmodSync(join(root, 'bin', 'npm'), 0o755);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function script(name: string, env: Record<string, string>) {
  const child = spawn(process.execPath, [join(root, 'scripts', name)], {
    env: { PATH: `${join(root, 'bin')}:${process.env['PATH']}`, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk));
  const code = await new Promise(resolve => child.on('close', resolve));
  return { code, output };
}

/** As pnpm 12.21.0 prints them. */
const advisory = (severity: string) =>
  JSON.stringify({
    advisories: {
      1: { severity, module_name: 'undici', title: 'A flaw', url: 'https://example.com/GHSA-1' },
    },
    metadata: { vulnerabilities: {} },
  });
const failure = (why: string) => `Error: ERR_PNPM_AUDIT_BAD_RESPONSE\n\n  × ${why}\n`;
const NO_ENDPOINT = failure(
  'The audit endpoint (at https://registry.example/\n  │ advisories/bulk) responded\n  │ with 405:',
);
const UNREACHABLE = failure(
  'Failed to request the audit\n  │ endpoint (at https://registry.example/): error sending request',
);
const BROKEN = failure('The audit endpoint (at https://registry.example/) responded with 500:');

describe('the audit', { timeout: 30_000 }, () => {
  it.each([
    ['moderate', 0],
    ['high', 1],
    ['critical', 1],
  ])('tells an advisory of severity %s, with exit code %d', async (severity, code) => {
    const result = await script('audit.mjs', { STDOUT: advisory(severity), NPM_EXIT: '1' });
    expect(result.output).toContain(`${severity}: undici: A flaw (https://example.com/GHSA-1)`);
    expect(result.code).toBe(code);
  });

  it('passes without advisories', async () => {
    const STDOUT = JSON.stringify({ advisories: {}, metadata: {} });
    expect(await script('audit.mjs', { STDOUT })).toMatchObject({ code: 0 });
  });

  it.each([
    ['has no audit endpoint', NO_ENDPOINT],
    ['is not to be reached', UNREACHABLE],
  ])('says that a registry %s, and passes unless an answer is owed', async (why, STDERR) => {
    const without = await script('audit.mjs', { STDERR, NPM_EXIT: '1' });
    expect(without).toMatchObject({
      code: 0,
      output: expect.stringContaining(`NOT DONE, the registry ${why}`),
    });
    const owed = await script('audit.mjs', { STDERR, NPM_EXIT: '1', AUDIT_REQUIRED: '1' });
    expect(owed).toMatchObject({ code: 1, output: expect.stringContaining('AUDIT_REQUIRED') });
  });

  it('fails where the registry fails', async () => {
    const result = await script('audit.mjs', { STDERR: BROKEN, NPM_EXIT: '1' });
    expect(result).toMatchObject({ code: 1, output: expect.stringContaining('responded with 500') });
  });
});

describe('the check of licences', { timeout: 30_000 }, () => {
  it.each([
    ['MIT', 0],
    ['(BSD-2-Clause OR GPL-3.0)', 0],
    ['MIT AND ISC', 0],
    ['MPL-2.0', 1],
    ['MIT AND GPL-3.0', 1],
    ['Unknown', 1],
  ])('judges %s in production, with exit code %d', async (licence, code) => {
    const STDOUT = JSON.stringify({ [licence]: [{ name: 'some-package' }] });
    const result = await script('licences.mjs', { STDOUT });
    expect(result.code).toBe(code);
    if (code === 1) expect(result.output).toContain(`some-package: ${licence}`);
  });

  it('fails where nothing is listed', async () => {
    expect(await script('licences.mjs', { STDOUT: '{}' })).toMatchObject({ code: 1 });
  });
});
