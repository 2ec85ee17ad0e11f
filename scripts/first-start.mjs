// `node scripts/first-start.mjs [--test] [--json FILE]`: how long the README's commands take for somebody who has nothing
// but Node, npm and git: a fresh clone of HEAD, an empty HOME, an empty cache of npm. `--test` runs `npm test` as well.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { figuresOf } from './figures.mjs';
import { ROOT } from './workspace.mjs';

const QUESTION = ['start', '--', 'What is 2+2?'];

/** What of the environment stays: how to reach programs, proxies and certificates. */
const KEPT =
  /^(PATH|LANG|LC_.*|TERM|CI|SSL_CERT_.*|NODE_EXTRA_CA_CERTS|CURL_CA_BUNDLE|https?_proxy|no_proxy)$/i;

/** The parts of the call that the gateway prints for trying it. */
const CALL = /curl (http\S+) -H 'authorization: (Bearer \S+)'[\s\S]*? -d '(\{[^\n]*\})'/;

/** Longest wait for the gateway to start, and for its answer, in milliseconds. */
const PATIENCE_MS = 300_000;

const { values } = parseArgs({ options: { test: { type: 'boolean' }, json: { type: 'string' } } });
const folder = mkdtempSync(join(tmpdir(), 'first-start-'));
try {
  const rows = await measured(prepared());
  const command = `node scripts/first-start.mjs${values.test ? ' --test' : ''}`;
  if (values.json) {
    const figures = figuresOf({ name: 'first-start', command, rows });
    writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
  }
  console.log('');
  for (const { what, seconds } of rows) console.log(`${what.padEnd(64)}${seconds.toFixed(1).padStart(8)} s`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A clone, and the environment of somebody who has nothing yet. */
function prepared() {
  const cwd = join(folder, 'clone');
  const home = join(folder, 'home');
  mkdirSync(home);
  execFileSync('git', ['clone', '-q', `file://${ROOT}`, cwd]);
  const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
  const kept = Object.entries(process.env).filter(([name]) => KEPT.test(name));
  const own = { HOME: home, npm_config_cache: join(folder, 'npm'), npm_config_registry: registry };
  return { cwd, env: { ...Object.fromEntries(kept), ...own } };
}

async function measured(place) {
  const rows = [];
  const add = (what, seconds) => rows.push({ what, seconds: Math.round(seconds * 10) / 10 });
  add('npm start -- "What is 2+2?", the first time', await answered(place));
  add('npm start -- "What is 2+2?", from then on', await answered(place));
  add('npm run gateway, to the answer to the call that it prints', await served(place));
  if (values.test) add('npm test, llama.cpp compiled by it', await ended(place, ['test'], 'inherit'));
  return rows;
}

/** @returns seconds until the model has answered */
async function answered(place) {
  const texts = [];
  const seconds = await ended(place, QUESTION, 'pipe', text => texts.push(text));
  if (/\b4\b/.test(texts.join(''))) return seconds;
  throw new Error(`npm start ended well, but its answer is not 4: ${texts.join('')}`);
}

/** @returns seconds until a command has ended well */
async function ended({ cwd, env }, args, stdout, take = () => {}) {
  const began = performance.now();
  const child = spawn('npm', args, { cwd, env, stdio: ['ignore', stdout, 'inherit'] });
  child.stdout?.setEncoding('utf8').on('data', take);
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${code}`);
  return (performance.now() - began) / 1000;
}

/** @returns seconds until the gateway has answered the call that it prints */
async function served({ cwd, env }) {
  const began = performance.now();
  const stdio = ['ignore', 'inherit', 'pipe'];
  const child = spawn('npm', ['run', 'gateway'], { cwd, env, stdio, detached: true });
  const over = new Promise(resolve => child.on('error', resolve).on('close', resolve));
  try {
    const [, url, authorization, body] = await printedCall(child, over);
    const headers = { authorization, 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(url, { method: 'POST', headers, body, signal });
    const text = await answer.text();
    if (!answer.ok || !text.includes('choices'))
      throw new Error(`the gateway answered ${answer.status}: ${text}`);
    return (performance.now() - began) / 1000;
  } finally {
    // npm's child too: the group of processes that was started here, unless it has ended by itself.
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGTERM');
    await over;
  }
}

function printedCall(child, over) {
  return new Promise((resolve, reject) => {
    let told = '';
    const giveUp = () => reject(new Error(`npm run gateway printed no call to try it with: ${told}`));
    setTimeout(giveUp, PATIENCE_MS).unref();
    over.then(giveUp);
    child.stderr.setEncoding('utf8').on('data', text => {
      told += text;
      const call = CALL.exec(told);
      if (call) resolve(call);
    });
  });
}
