// The gateway that is fuzzed: as built, in a process of its own, over an upstream that always answers well.
import { fork } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import '../../scripts/run-sources.mjs';
import { freePort } from '../../scripts/free-port.mjs';
import { ROOT } from '../../scripts/workspace.mjs';

const { scriptedServer } = await import('../../test/scripted-server.ts');
const { hello } = await import('../../apps/gateway/test/faults/upstream.ts');

const CLI = join(ROOT, 'apps', 'gateway', 'dist', 'cli.js');
const READY_MS = 60_000;
const REST_MS = 10_000;

/** @returns `{ url, key, problem, stop }`; `problem` says what is wrong with the gateway as a whole, if anything is */
export async function startFuzzed() {
  const upstream = await scriptedServer((response, seen) => {
    upstream.seen.length = 0;
    return hello(response, seen);
  });
  const [port, key] = [await freePort(), `xg-${randomBytes(16).toString('hex')}`];
  const folder = mkdtempSync(join(tmpdir(), 'proof-fuzz-'));
  const file = join(folder, 'gateway.json');
  writeFileSync(file, JSON.stringify(configOf({ upstream: upstream.url, port, key })));
  let stderr = '';
  const child = fork(CLI, ['--config', file], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  child.stderr.on('data', text => {
    stderr = (stderr + text).slice(-4_000);
  });
  const url = `http://127.0.0.1:${port}`;
  const isUp = () => child.exitCode === null && child.signalCode === null;
  const stop = async () => {
    if (isUp()) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const until = performance.now() + READY_MS;
  while (!(await fetch(`${url}/readyz`).catch(() => undefined))?.ok) {
    if (isUp() && performance.now() < until) await sleep(100);
    else throw new Error(`the gateway did not start:\n${stderr}`);
  }
  const problem = async () => {
    if (!isUp()) return `the gateway ended with ${child.exitCode ?? child.signalCode}:\n${stderr}`;
    return restProblem(url);
  };
  return { url, key, isUp, problem, stop };
}

function configOf({ upstream, port, key }) {
  const hash = `sha256:${createHash('sha256').update(key).digest('hex')}`;
  return {
    server: { host: '127.0.0.1', port, maxBodyBytes: 1_000_000 },
    providers: { up: { type: 'openai', baseUrl: `${upstream}/v1`, apiKey: 'fuzz', maxRetries: 0 } },
    models: { fast: { targets: [{ provider: 'up', model: 'up-model' }] } },
    keys: [{ name: 'client', hash }],
    breaker: { failures: 1_000_000_000 },
    log: { level: 'silent', access: false },
  };
}

async function restProblem(url) {
  const until = performance.now() + REST_MS;
  for (;;) {
    const text = await (await fetch(`${url}/metrics`)).text();
    const inFlight = Number(/^gateway_requests_in_flight (\d+)$/m.exec(text)?.[1]);
    if (inFlight === 0) return undefined;
    if (performance.now() > until) return `${inFlight} calls are still under way at the end`;
    await sleep(100);
  }
}
