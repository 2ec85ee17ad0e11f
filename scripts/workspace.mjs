// What the root scripts share: the pinned pnpm, an install and a build that happen only when something changed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const STAMPS = join(ROOT, 'node_modules', '.cache', 'airframe');
const TO_STDERR = ['ignore', process.stderr, process.stderr];
const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** Runs a program with this terminal's input and output; resolves with its exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal ? 1 : code));
  });
}

/** Runs a command with the pinned pnpm, and the workspace's own programs, on the PATH. */
export function withPnpm(command, args, options) {
  return run(NPM, pinned(command, args), options);
}

const pinned = (command, args) => [
  'exec',
  '--yes',
  `--package=${MANIFEST.packageManager}`,
  '--',
  command,
  ...args,
];

/** As {@link withPnpm}, but what it prints is given back: `{ code, stdout, stderr }`. */
export async function outputOfPnpm(args) {
  const [chunks, errors] = [[], []];
  const child = spawn(NPM, pinned('pnpm', args), { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.on('data', chunk => chunks.push(chunk));
  child.stderr.on('data', chunk => errors.push(chunk));
  const [code] = await once(child, 'close');
  const text = buffers => Buffer.concat(buffers).toString('utf8');
  return { code: code ?? 1, stdout: text(chunks), stderr: text(errors) };
}

/** Installs the workspace, when the lockfile is not the one installed. */
export async function ensureInstalled() {
  checkNode();
  const wanted = digest([join(ROOT, 'pnpm-lock.yaml'), join(ROOT, 'pnpm-workspace.yaml')], readFileSync);
  if (stamp('install') === wanted) return;
  console.error('Installing the workspace (once) …');
  const install = () => withPnpm('pnpm', ['install', '--frozen-lockfile'], { stdio: TO_STDERR });
  if ((await stamped('install', wanted, install)) !== 0) {
    throw new Error('the install failed; the reason stands above');
  }
}

/** Builds packages and apps, when a source has changed since the last build or a built file is missing. */
export async function ensureBuilt() {
  if (stamp('build') === sources() && entryFiles().every(file => existsSync(file))) return;
  console.error('Building (once after each change) …');
  const code = await telling('building', () => build({ stdio: TO_STDERR }));
  if (code !== 0) throw new Error('the build failed; the reason stands above');
}

/** Says every few seconds that something is still at work, and since when. */
async function telling(what, work) {
  const began = performance.now();
  const tell = () => console.error(`${what}: ${Math.round((performance.now() - began) / 1000)} s`);
  const ticking = setInterval(tell, 5_000);
  try {
    return await work();
  } finally {
    clearInterval(ticking);
  }
}

/** Builds packages and apps; resolves with the exit code. What has not changed comes from turbo's cache. */
export function build(options) {
  const args = ['run', 'build', '--output-logs=errors-only'];
  return stamped('build', sources(), () => {
    // What the cache brings is put beside what is there, and files of an older build would be packed with it.
    for (const folder of workspaceFolders()) {
      rmSync(join(ROOT, folder, 'dist'), { recursive: true, force: true });
    }
    return withPnpm('turbo', args, { env: turboEnv(), ...options });
  });
}

export function turboEnv() {
  const path = `${join(ROOT, 'node_modules', '.bin')}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}`;
  return { ...process.env, PATH: path, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };
}

/** The folders of the workspace: packages and apps that have a package.json. */
export function workspaceFolders() {
  return ['packages', 'apps']
    .flatMap(parent => readdirSync(join(ROOT, parent)).map(name => join(parent, name)))
    .filter(folder => existsSync(join(ROOT, folder, 'package.json')));
}

/** What is built, as a digest. */
function sources() {
  const files = [join(ROOT, 'tsconfig.base.json')];
  for (const folder of workspaceFolders().map(folder => join(ROOT, folder))) {
    for (const name of ['package.json', 'index.html', 'tsup.config.ts', 'vite.config.ts', 'tsconfig.json']) {
      if (existsSync(join(folder, name))) files.push(join(folder, name));
    }
    if (!existsSync(join(folder, 'src'))) continue;
    for (const entry of readdirSync(join(folder, 'src'), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) files.push(join(entry.parentPath, entry.name));
    }
  }
  return digest(files.sort(), file => `${statSync(file).size} ${statSync(file).mtimeMs}`);
}

/** The built files that others import or run. */
function entryFiles() {
  return workspaceFolders().flatMap(folder => {
    const { bin = {}, exports = {} } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
    const files = [...Object.values(bin), ...Object.values(exports).map(entry => entry.default ?? entry)];
    return files.map(file => join(ROOT, folder, file));
  });
}

function digest(files, read) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(read(file));
  return hash.digest('hex');
}

function stamp(name) {
  const file = join(STAMPS, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** Does the work; the stamp stands only when it went well, on what was there when it began. */
async function stamped(name, value, work) {
  rmSync(join(STAMPS, name), { force: true });
  const code = await work();
  if (code !== 0) return code;
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(join(STAMPS, name), value);
  return code;
}

function checkNode() {
  const [major, minor, patch] = process.versions.node.split('.').map(Number);
  const recent = major > 20 || (major === 20 && (minor > 18 || (minor === 18 && patch >= 1)));
  if (!recent) throw new Error(`Node ${process.versions.node} is too old; install 20.18.1 or newer`);
}
