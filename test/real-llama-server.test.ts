import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startLlamaServer, until } from './real-llama-server.ts';

describe('startLlamaServer', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'airframe-server-'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it('leaves no process behind when the server does not become ready', { timeout: 60_000 }, async () => {
    const [program, pidFile] = [join(folder, 'llama-server'), join(folder, 'pid')];
    writeFileSync(program, `#!/bin/sh\necho $$ > ${pidFile}\nexec sleep 600\n`);
    chmodSync(program, 0o755);
    vi.stubEnv('LLAMA_SERVER_PATH', program);
    await expect(startLlamaServer({ readyMs: 1_000 })).rejects.toThrow('did not come true within 1000 ms');
    await until(() => existsSync(pidFile), 5_000);
    expect(() => process.kill(Number(readFileSync(pidFile, 'utf8')), 0)).toThrow('ESRCH');
  });
});
