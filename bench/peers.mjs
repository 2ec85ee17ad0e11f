// The packages that the benchmarks compare with: installed when a benchmark runs, from a lockfile of their own.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, run } from '../scripts/workspace.mjs';

/** The newest of some peers want Node 22, so there are two sets. */
const PEERS = join(
  ROOT,
  'bench',
  'peers',
  Number.parseInt(process.versions.node, 10) < 22 ? 'node20' : 'node22',
);
const STAMP = join(PEERS, 'node_modules', '.installed');
const AIRFRAME = join(ROOT, 'packages', 'airframe');

/** Installs the peers for the Node in use, when their lockfile is not the one installed. */
export async function ensurePeers() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(PEERS, 'package-lock.json')))
    .digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  console.error('Installing the peers (once) …');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const code = await run(npm, args, { cwd: PEERS, stdio: ['ignore', process.stderr, process.stderr] });
  if (code !== 0) {
    throw new Error(`npm ci failed in ${PEERS}; the reason stands above (without peers: --only airframe)`);
  }
  writeFileSync(STAMP, wanted);
}

/** Imports a package as its users do: the workspace's packages as built, undici as airframe has it, anything else as a peer. */
export async function importPackage(name) {
  const own = ownFolder(name);
  if (own) return import(pathToFileURL(join(own, 'dist', 'index.js')).href);
  if (name === 'undici') return import(pathToFileURL(requireOfAirframe().resolve('undici')).href);
  const { load } = await import(pathToFileURL(join(PEERS, 'load.mjs')).href);
  return load(name);
}

/** @returns name → version */
export function versionsOf(names) {
  return Object.fromEntries(
    names.map(name => [name, JSON.parse(readFileSync(manifestOf(name), 'utf8')).version]),
  );
}

function manifestOf(name) {
  const own = ownFolder(name);
  if (own) return join(own, 'package.json');
  if (name === 'undici') return requireOfAirframe().resolve('undici/package.json');
  return join(PEERS, 'node_modules', name, 'package.json');
}

/** Of a package of this workspace. */
function ownFolder(name) {
  return name.startsWith('@x/') ? join(ROOT, 'packages', name.slice(3)) : undefined;
}

const requireOfAirframe = () => createRequire(join(AIRFRAME, 'package.json'));
