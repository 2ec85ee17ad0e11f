import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../scripts/free-port.mjs';
import { ensureRedisServer } from '../scripts/redis-server.mjs';
import { until } from './real-llama-server.ts';

export interface RealRedis {
  /** With the password, if there is one. */
  url: string;
  port: number;
  /** SIGSTOP: connections stay and nothing answers. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again after {@link kill}, at the same port, with the data that had reached the disk. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface RealRedisOptions {
  password?: string;
  /** Writes each change to the disk at once. */
  durable?: boolean;
}

/** Debian's redis-server on a free loopback port, with a folder of its own. */
export async function startRedis({ password, durable = false }: RealRedisOptions = {}): Promise<RealRedis> {
  const binary = await ensureRedisServer();
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'airframe-redis-'));
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  if (durable) args.push('--appendonly', 'yes', '--appendfsync', 'always');
  if (password) args.push('--requirepass', password);
  let child: ChildProcess;
  const start = async () => {
    let log = '';
    child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', chunk => (log += chunk));
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`redis-server exited with ${child.exitCode}:\n${log}`);
      return /^[+-](?!LOADING)/.test(await ping(port));
    });
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await gone;
  };
  await start();
  return {
    url: `redis://${password ? `:${encodeURIComponent(password)}@` : ''}127.0.0.1:${port}`,
    port,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill: () => end('SIGKILL'),
    restart: start,
    stop: async () => {
      await end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What it answers to PING: the first bytes, or '' when it is not there. */
function ping(port: number): Promise<string> {
  return new Promise(resolve => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('error', () => resolve(''));
    socket.once('data', data => {
      resolve(data.toString());
      socket.destroy();
    });
  });
}
