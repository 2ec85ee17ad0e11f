// Node binaries of other versions, from the npm registry: the packages that `npm install node` chooses among.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../packages/llamacpp-native/native/paths.mjs';

const run = promisify(execFile);
const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/**
 * Brings a version of Node into the cache folder (AIRFRAME_CACHE_DIR, else `~/.cache/airframe`), once.
 * @param wanted a major, or a whole version
 * @param say is told what takes longer
 * @returns its version, and the folder to put ahead in PATH
 */
export async function ensureNode(wanted, say) {
  const version = await resolveVersion(wanted);
  const folder = folderOf(version);
  const bin = join(folder, 'node_modules', packageName(), 'bin');
  if (!existsSync(bin)) {
    say(`Node ${version}: fetching ${packageName()}@${version} …`);
    await fetchInto(folder, version);
  }
  return { version, bin };
}

/** node → whether `require` takes an ES module without a flag. Source: nodejs.org, changelogs of 20.19.0 and 22.12.0. */
export function canRequireModules(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major === 20) return minor >= 19;
  return major === 22 ? minor >= 12 : major > 22;
}

/** Without a registry the newest one in the cache does. */
async function resolveVersion(wanted) {
  if (/^\d+\.\d+\.\d+$/.test(wanted)) return wanted;
  if (!/^\d+$/.test(wanted))
    throw new Error(`--node ${wanted} is no version; give one such as 22 or 20.18.1`);
  try {
    const { stdout } = await run(NPM, ['view', `${packageName()}@${wanted}`, 'version', '--json']);
    const version = newestOf([JSON.parse(stdout || '[]')].flat());
    if (version) return version;
  } catch {
    // Told below.
  }
  const cached = newestOf(cachedVersions().filter(version => version.startsWith(`${wanted}.`)));
  if (cached) return cached;
  throw new Error(`the registry has no ${packageName()}@${wanted}, or is not to be reached; see npm ping`);
}

function packageName() {
  const { platform, arch } = process;
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node';
  return `${prefix}-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

const base = () => join(cacheDir(), 'node');
const suffix = () => `-${process.platform}-${process.arch}`;
const folderOf = version => join(base(), `${version}${suffix()}`);

function cachedVersions() {
  if (!existsSync(base())) return [];
  return readdirSync(base())
    .filter(name => /^\d/.test(name) && name.endsWith(suffix()))
    .map(name => name.slice(0, -suffix().length));
}

const newestOf = versions => versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);

/** Beside its place and then moved there, so that what stands there is whole. */
async function fetchInto(folder, version) {
  mkdirSync(base(), { recursive: true });
  const beside = mkdtempSync(join(base(), '.fetching-'));
  try {
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', beside];
    await run(NPM, [...args, `${packageName()}@${version}`]);
    renameSync(beside, folder);
  } catch (error) {
    throw new Error(`Node ${version} could not be fetched: ${error.stderr || error.message}`);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}
