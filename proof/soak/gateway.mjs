// The gateway under the soak: as built, in a process of its own, with clients over HTTP.
import { fork } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../scripts/free-port.mjs';
import { ROOT } from '../../scripts/workspace.mjs';
import { endingOf, PRICE } from './plan.mjs';

const METER = new URL('meter.mjs', import.meta.url).href;
const CLI = join(ROOT, 'apps', 'gateway', 'dist', 'cli.js');
/** Of providers; only the calls that stall come to it. */
const TIMEOUT_SECONDS = 3;
const READY_MS = 60_000;

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const newKey = () => `xg-${randomBytes(16).toString('hex')}`;
const hashOf = key => `sha256:${createHash('sha256').update(key).digest('hex')}`;

function configOf({ upstream, port, key, admin }) {
  const common = { apiKey: 'soak', maxRetries: 1, timeout: TIMEOUT_SECONDS };
  const cloud = path => ({ type: 'openai', baseUrl: `${upstream}${path}/v1`, ...common });
  const nodes = ['n0', 'n1'].map(name => ({ name, baseUrl: `${upstream}/${name}`, slots: 4 }));
  const targets = ['first', 'second'].map(provider => ({ provider, model: 'up-model' }));
  return {
    server: { host: '127.0.0.1', port },
    providers: {
      first: cloud('/a'),
      second: cloud('/b'),
      pool: { type: 'llamaserver', nodes, maxRetries: 1, timeout: TIMEOUT_SECONDS },
    },
    models: { cloud: { targets }, local: { targets: [{ provider: 'pool' }] } },
    prices: { openai: { 'up-model': PRICE } },
    keys: [
      { name: 'client', hash: hashOf(key) },
      { name: 'admin', hash: hashOf(admin), admin: true },
    ],
    limits: [{ name: 'soak', scope: 'key', match: 'client', window: 'month', tokens: 1e12, usd: 1e9 }],
    breaker: { failures: 1_000_000_000 },
    log: { level: 'silent', access: false },
  };
}

/** @returns `{ call, inUse, rest, budgets, closeClients, stop }` */
export async function startGateway(upstream) {
  const [port, key, admin] = [await freePort(), newKey(), newKey()];
  const folder = mkdtempSync(join(tmpdir(), 'proof-soak-'));
  const file = join(folder, 'gateway.json');
  writeFileSync(file, JSON.stringify(configOf({ upstream, port, key, admin })));
  let stderr = '';
  const child = fork(CLI, ['--config', file], {
    execArgv: ['--expose-gc', '--import', METER],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.stderr.on('data', text => {
    stderr = (stderr + text).slice(-4_000);
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
    return child.exitCode;
  };
  const until = performance.now() + READY_MS;
  while (!(await fetch(`${url}/readyz`, { headers: { connection: 'close' } }).catch(() => undefined))?.ok) {
    if (child.exitCode !== null || performance.now() > until) {
      await stop();
      throw new Error(`the gateway did not start:\n${stderr}`);
    }
    await sleep(100);
  }
  return {
    call: (plan, model, isStream) => call({ url, key, plan, model, isStream }),
    inUse: async () => {
      child.send('tell');
      const [told] = await once(child, 'message');
      return told;
    },
    rest: () => restOf(url),
    budgets: () => budgetsOf(url, admin),
    closeClients: () => agent.destroy(),
    stop,
  };
}

/** @returns how its client sees it end */
function call({ url, key, plan, model, isStream }) {
  return new Promise(resolve => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const sent = request(`${url}/v1/chat/completions`, { method: 'POST', headers, agent });
    const leaves = endingOf(plan) === 'left';
    const leave = () => {
      resolve('left');
      sent.destroy();
    };
    sent.on('error', () => resolve('failed'));
    sent.on('response', response => {
      let text = '';
      response.setEncoding('utf8').on('error', () => resolve('failed'));
      response.on('data', piece => {
        text += piece;
        if (leaves && (text.match(/w\d+ /g)?.length ?? 0) >= plan.cut) leave();
      });
      response.on('end', () => {
        const good = isStream ? text.endsWith('data: [DONE]\n\n') : text.includes('"finish_reason":"stop"');
        resolve(response.statusCode === 200 && good ? 'whole' : 'failed');
      });
    });
    if (plan.fate === 'before') setTimeout(leave, 30);
    const messages = [{ role: 'user', content: JSON.stringify(plan) }];
    sent.end(JSON.stringify({ model, messages, stream: isStream }));
  });
}

/** What the gateway itself says it has under way, held and booked. */
async function restOf(url) {
  // A connection that is kept would be taken for one that was left.
  const response = await fetch(`${url}/metrics`, { headers: { connection: 'close' } });
  const text = await response.text();
  const sum = (name, label = '') =>
    text
      .split('\n')
      .filter(line => line.startsWith(name) && line.includes(label))
      .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
  return {
    inFlight: sum('gateway_requests_in_flight'),
    waiting: sum('gateway_requests_waiting'),
    busySlots: sum('gateway_node_busy_slots'),
    prompt: sum('gateway_tokens_total', 'kind="prompt"'),
    completion: sum('gateway_tokens_total', 'kind="completion"'),
    usd: sum('gateway_cost_usd_total'),
  };
}

/** From the console's feed. */
async function budgetsOf(url, admin) {
  const stop = new AbortController();
  const headers = { authorization: `Bearer ${admin}` };
  const response = await fetch(`${url}/admin/events`, { headers, signal: stop.signal });
  let text = '';
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const told = [...text.matchAll(/event: budgets\ndata: (.*)\n\n/g)].map(([, data]) => JSON.parse(data));
    const budgets = (told.at(-1) ?? []).filter(({ rule }) => rule === 'soak');
    // The first event comes before the budgets were asked for.
    if (budgets.length === 0) continue;
    stop.abort();
    return budgets.map(({ unit, spent, reserved }) => ({ unit, spent, reserved }));
  }
  throw new Error(`the feed of the console at ${url} told no budgets:\n${text.slice(0, 500)}`);
}
