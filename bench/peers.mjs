// The packages that the benchmarks compare with: installed when a benchmark runs, from a lockfile of their own.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, run } from '../scripts/workspace.mjs';

/** The newest of some peers want Node 22, so there are two sets of libraries. */
const LIBRARIES = Number.parseInt(process.versions.node, 10) < 22 ? 'node20' : 'node22';
const folderOf = (set = LIBRARIES) => join(ROOT, 'bench', 'peers', set);
const AIRFRAME = join(ROOT, 'packages', 'airframe');

/**
 * Installs peers, when their lockfile is not the one installed.
 * @param set folder of `peers/`; default: the libraries for the Node in use
 * @param without what to say to a benchmark that is to do without them
 */
export async function ensurePeers(set, without = '--only airframe') {
  const folder = folderOf(set);
  const stamp = join(folder, 'node_modules', '.installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('Installing the peers (once) …');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const code = await run(npm, args, { cwd: folder, stdio: ['ignore', process.stderr, process.stderr] });
  if (code !== 0) {
    throw new Error(`npm ci failed in ${folder}; the reason stands above (without peers: ${without})`);
  }
  writeFileSync(stamp, wanted);
}

/** The path of a file of a peer that is run as a program. */
export const fileOfPeer = (set, name, path) => join(folderOf(set), 'node_modules', name, path);

/** Imports a package as its users do: the workspace's packages as built, undici as airframe has it, anything else as a peer. */
export async function importPackage(name) {
  const own = ownFolder(name);
  if (own) return import(pathToFileURL(join(own, 'dist', 'index.js')).href);
  if (name === 'undici') return import(pathToFileURL(requireOfAirframe().resolve('undici')).href);
  const { load } = await import(pathToFileURL(join(folderOf(), 'load.mjs')).href);
  return load(name);
}

/**
 * @param set the peers' folder of `peers/`; default: the libraries for the Node in use
 * @returns name → version
 */
export function versionsOf(names, set) {
  return Object.fromEntries(
    names.map(name => [name, JSON.parse(readFileSync(manifestOf(name, set), 'utf8')).version]),
  );
}

function manifestOf(name, set) {
  const own = ownFolder(name);
  if (own) return join(own, 'package.json');
  if (name === 'undici') return requireOfAirframe().resolve('undici/package.json');
  return join(folderOf(set), 'node_modules', name, 'package.json');
}

/** Of a package of this workspace. */
function ownFolder(name) {
  return name.startsWith('@x/') ? join(ROOT, 'packages', name.slice(3)) : undefined;
}

const requireOfAirframe = () => createRequire(join(AIRFRAME, 'package.json'));
