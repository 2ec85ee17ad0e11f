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

/** What of the environment stays: how to reach programs, and the registry that this machine may reach. */
const KEPT =
  /^(PATH|LANG|LC_.*|TERM|CI|SSL_CERT_.*|NODE_EXTRA_CA_CERTS|CURL_CA_BUNDLE|https?_proxy|no_proxy)$/i;

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
  add('npm run gateway, to the answer to the curl that it prints', await served(place));
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

/** @returns seconds until the gateway has answered the call that it prints for trying it */
async function served({ cwd, env }) {
  const began = performance.now();
  const child = spawn('npm', ['run', 'gateway'], {
    cwd,
    env,
    stdio: ['ignore', 'inherit', 'pipe'],
    detached: true,
  });
  const over = new Promise(resolve => child.on('close', resolve));
  try {
    let told = '';
    const curl = await new Promise((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', text => {
        told += text;
        const [command] = /curl http[\s\S]*?\n\s*\n/.exec(`${told}\n\n`) ?? [];
        if (command?.includes("}'")) resolve(command);
      });
      over.then(() => reject(new Error(`npm run gateway ended before it answered: ${told}`)));
    });
    const answer = execFileSync('sh', ['-c', `${curl.trim()} -sS --fail-with-body`], { encoding: 'utf8' });
    if (!answer.includes('choices') && !answer.includes('data:'))
      throw new Error(`the gateway answered ${answer}`);
    return (performance.now() - began) / 1000;
  } finally {
    // npm's child too: the group of processes that was started here.
    process.kill(-child.pid, 'SIGTERM');
    await over;
  }
}
