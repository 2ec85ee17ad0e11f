// The gateway as its command starts it, in a process of its own: for signals, for what is left behind, for memory.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { until } from '../../../test/real-llama-server.ts';
import type { Config } from '../src/config/schema.ts';
import { TEST_KEYS } from './running-gateway.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const SOURCES = new URL('../../../scripts/run-sources.mjs', import.meta.url).href;

export interface GatewayProcess {
  url: string;
  /** Of its configuration. */
  path: string;
  /** Lines of its log so far, parsed. */
  log(): Record<string, unknown>[];
  /** All that it has written so far, on either stream. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** How it ended: the exit code, or the signal that killed it. */
  ended: Promise<number | NodeJS.Signals>;
  /** Bytes that it has of the machine's memory. */
  residentBytes(): number;
}

type Partially = Omit<Config, 'keys'> & { keys?: Config['keys'] };

/** Starts it with a configuration, by default with {@link TEST_KEYS}, on a free port; it ends with the test. */
export async function startGatewayProcess(
  config: Partially,
  env: Record<string, string> = {},
  nodeArgs: string[] = [],
): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'airframe-gateway-'));
  const path = join(folder, 'gateway.json');
  const full = { keys: TEST_KEYS, ...config, server: { port: 0, ...config.server } };
  writeFileSync(path, JSON.stringify(full, null, 2));
  const args = [...nodeArgs, '--conditions=@x/source', '--import', SOURCES, CLI, '--config', path];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', chunk => {
    stdout += chunk;
  });
  child.stderr.on('data', chunk => {
    stderr += chunk;
  });
  const ended = endOf(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  let url = '';
  await until(() => {
    if (child.exitCode !== null) throw new Error(`the gateway exited with ${child.exitCode}:\n${stderr}`);
    url = /Gateway {3}(\S+)/.exec(stderr)?.[1] ?? '';
    return url !== '';
  });
  return {
    url,
    path,
    log: () =>
      stdout
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Record<string, unknown>),
    output: () => stdout + stderr,
    signal: name => void child.kill(name),
    ended,
    residentBytes: () => {
      const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      return Number(kib) * 1_024;
    },
  };
}

async function endOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return signal ?? code ?? 0;
}
