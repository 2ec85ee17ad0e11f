import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureLlamaServer } from '../packages/llamacpp-native/native/llama-cpp.mjs';
import { freePort } from '../scripts/free-port.mjs';

/** The project's own model; see apps/demo-model/MODEL_CARD.md. */
export const DEMO_MODEL: string = fileURLToPath(new URL('../apps/demo-model/pilot.gguf', import.meta.url));

export interface RealLlamaServer {
  url: string;
  pid: number;
  /** GET a JSON route of the server. */
  get<T>(path: string): Promise<T>;
  /** POST JSON to a route of the server. */
  post<T>(path: string, body: unknown): Promise<T>;
  /** Resolves when no slot works on anything; rejects after 30 s. */
  idle(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface RealLlamaServerOptions {
  /** Tokens of context of each slot. Default 1,024. */
  contextTokens?: number;
  slots?: number;
  /** Default: any that is free. */
  port?: number;
  apiKey?: string;
  /** For `/v1/embeddings`: how tokens are pooled, for the demo model does not say; true: their mean. */
  embeddings?: boolean | 'last';
  /** In place of the model's own. */
  chatTemplate?: string;
  /** Default true: resolves when the model is loaded. false: as soon as the process runs. */
  untilReady?: boolean;
  /** Longest wait for that, in milliseconds. Default 30,000. */
  readyMs?: number;
}

/** A real llama-server with the demo model on a free loopback port. */
export async function startLlamaServer(options: RealLlamaServerOptions = {}): Promise<RealLlamaServer> {
  const { contextTokens = 1024, slots = 1, apiKey, embeddings, chatTemplate, untilReady = true } = options;
  const binary = await ensureLlamaServer();
  const port = options.port ?? (await freePort());
  const args = ['--model', DEMO_MODEL, '--host', '127.0.0.1', '--port', String(port), '--alias', 'pilot'];
  args.push(
    '--ctx-size',
    String(contextTokens * slots),
    '--parallel',
    String(slots),
    '--slots',
    '--threads',
    '1',
  );
  if (apiKey) args.push('--api-key', apiKey);
  if (embeddings) args.push('--embeddings', '--pooling', embeddings === true ? 'mean' : embeddings);
  if (chatTemplate) args.push('--chat-template', chatTemplate);
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      log = (log + chunk).slice(-20_000);
    });
  }
  const url = `http://127.0.0.1:${port}`;
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (apiKey) headers['authorization'] = `Bearer ${apiKey}`;
  const server: RealLlamaServer = {
    url,
    pid: child.pid ?? -1,
    get: async <T>(path: string) => (await (await fetch(url + path, { headers })).json()) as T,
    post: async <T>(path: string, body: unknown) => {
      const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
      return (await response.json()) as T;
    },
    idle: () =>
      until(async () =>
        (await server.get<{ is_processing: boolean }[]>('/slots')).every(s => !s.is_processing),
      ),
    kill: () => end(child, 'SIGKILL'),
    stop: () => end(child, 'SIGTERM'),
  };
  const ready = async () => {
    if (child.exitCode !== null) throw new Error(`llama-server exited with ${child.exitCode}:\n${log}`);
    return (await fetch(`${url}/health`).catch(() => undefined))?.status === 200;
  };
  try {
    if (untilReady) await until(ready, options.readyMs);
  } catch (error) {
    await server.kill();
    throw error;
  }
  return server;
}

/** Waits until a condition holds; rejects when it does not within `ms`. */
export async function until(condition: () => Promise<boolean> | boolean, ms = 30_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`the condition did not come true within ${ms} ms`);
    await sleep(20);
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}
