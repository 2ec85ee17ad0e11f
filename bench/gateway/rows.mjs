// The rows of the table: what stands between the load generator and the upstream.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../scripts/free-port.mjs';
import { ROOT } from '../../scripts/workspace.mjs';
import { startChild } from '../child.mjs';
import { fileOfPeer } from '../peers.mjs';
import { OPEN, SCENARIOS } from './scenarios.mjs';
import { modelOf } from './workload.mjs';

const METER = new URL('meter.mjs', import.meta.url).href;
const BARE = fileURLToPath(new URL('bare.mjs', import.meta.url));
const GATEWAY = join(ROOT, 'apps', 'gateway', 'dist', 'cli.js');

/** Longest time from the start of a process to its first answer, in milliseconds. */
const READY_MS = 20_000;

const models = [...new Set([...SCENARIOS, OPEN].map(modelOf))];

export const DIRECT = 'direct';
export const FLOOR = 'bare';
export const OURS = 'gateway';
export const PORTKEY = '@portkey-ai/gateway';

/** The folder of `bench/peers` that Portkey's gateway is in, and the packages whose versions matter for it. */
export const PEERS = { set: 'portkey', packages: [PORTKEY, 'hono', '@hono/node-server'] };

/** `start` gets the upstream's origin, and gives where the row answers, the headers it wants, `usage` of its process and `stop`. */
export const ROWS = [
  { name: DIRECT, start: async upstream => ({ origin: upstream, headers: {}, stop: async () => {} }) },
  { name: FLOOR, start: startBare },
  { name: OURS, start: startGateway },
  { name: PORTKEY, start: startPortkey },
];

async function startBare(upstream) {
  const port = await freePort();
  return { headers: {}, ...(await startServer(BARE, [`${port}`, upstream], port)) };
}

async function startPortkey(upstream) {
  const port = await freePort();
  const file = fileOfPeer(PEERS.set, PORTKEY, 'build/start-server.js');
  // It writes a page of text for each client that leaves.
  const server = await startServer(file, [`--port=${port}`, '--headless'], port, 'ignore');
  const headers = {
    authorization: 'Bearer bench',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${upstream}/v1`,
  };
  return { headers, ...server };
}

/** With all that a team would have on: a key with a budget and a rate, prices, metrics, the console. As its peers it writes no log of calls. */
export async function startGateway(upstream) {
  const [port, key] = [await freePort(), `bench-${randomBytes(16).toString('hex')}`];
  const folder = mkdtempSync(join(tmpdir(), 'bench-gateway-'));
  const file = join(folder, 'gateway.json');
  writeFileSync(file, JSON.stringify(configOf({ upstream, port, key })));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const { stop, ...server } = await startServer(GATEWAY, ['--config', file], port);
    const end = async () => {
      await stop();
      remove();
    };
    return { headers: { authorization: `Bearer ${key}` }, ...server, stop: end };
  } catch (error) {
    remove();
    throw error;
  }
}

function configOf({ upstream, port, key }) {
  const price = { prompt: 0.000_1, completion: 0.000_4 };
  const hash = `sha256:${createHash('sha256').update(key).digest('hex')}`;
  return {
    server: { host: '127.0.0.1', port },
    providers: { upstream: { type: 'openai', baseUrl: `${upstream}/v1`, apiKey: 'bench' } },
    models: Object.fromEntries(models.map(model => [model, { targets: [{ provider: 'upstream', model }] }])),
    prices: { openai: Object.fromEntries(models.map(model => [model, price])) },
    keys: [{ name: 'bench', hash, usdPerDay: 1_000_000, requestsPerMinute: 100_000_000 }],
    log: { level: 'warn', access: false },
  };
}

/** Starts a server with a meter in its process, and waits until it answers. */
async function startServer(file, args, port, stderr) {
  const { ask, stop, ended } = await startChild(file, args, ['--import', METER], stderr);
  const origin = `http://127.0.0.1:${port}`;
  const endsAt = performance.now() + READY_MS;
  while (!(await fetch(origin).catch(() => undefined))) {
    if (ended()) throw new Error(`${file} ended before it answered at ${origin}`);
    if (performance.now() > endsAt) {
      await stop();
      throw new Error(`${file} did not answer at ${origin} within ${READY_MS} ms`);
    }
    await sleep(50);
  }
  return { origin, ask, stop, usage: () => ask({ tell: 'usage' }) };
}
