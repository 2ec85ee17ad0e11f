// Builds a real llama-server once, from the llama.cpp source that the npm package node-llama-cpp carries, and
// caches it outside the checkout. `node scripts/llama-server.mjs [target…]` prints one path per target
// (default: llama-server).
//
// Below cacheDir()/llama.cpp:
//   <release>-source/    the cloned source
//   <key>/bin/           finished programs, moved here only after they ran: what is here is whole
//   <key>.build/         the build tree, kept so that a second target (llama-bench) compiles little
//   <key>.log            output of git, cmake and the compiler
//   *.lock               one process at a time: a symlink whose target is the holder's pid
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensurePrograms, findProgram, isProgram, run, since, toStderr } from './programs.mjs';

const CMAKE_OPTIONS = [
  '-DCMAKE_BUILD_TYPE=Release',
  '-DBUILD_SHARED_LIBS=OFF', // one file that can be moved out of the build tree
  '-DGGML_NATIVE=ON', // the cache key holds the CPU's flags, so this never meets another CPU
  '-DGGML_OPENMP=OFF', // ggml's own threads: no libgomp at run time
  '-DLLAMA_OPENSSL=OFF', // the tests speak plain HTTP
  '-DLLAMA_BUILD_UI=OFF', // would run an npm build
  '-DLLAMA_USE_PREBUILT_UI=OFF', // would download the web UI
  '-DLLAMA_BUILD_TESTS=OFF',
  '-DLLAMA_BUILD_EXAMPLES=OFF',
  '-DLLAMA_BUILD_APP=OFF',
  '-DLLAMA_BUILD_IS_DEV=OFF', // the bundle is a release, so `--version` should not say "-dev"
];
const COMPILERS = [
  ['cc', 'gcc', 'clang'],
  ['c++', 'g++', 'clang++'],
];
const OWN_SERVER = 'set LLAMA_SERVER_PATH to a llama-server of your own';
const BUILD_TOOLS = {
  purpose: 'building llama.cpp',
  packages: ['git', 'cmake', 'make', 'g++'],
  hints: [
    'Fedora: `sudo dnf install git cmake make gcc-c++`',
    'macOS: `xcode-select --install; brew install cmake`',
  ],
  instead: OWN_SERVER,
};

const root = () => join(cacheDir(), 'llama.cpp');
const heldLocks = new Set();

/** The cache folder, absolute: AIRFRAME_CACHE_DIR, else `airframe` in XDG_CACHE_HOME or ~/.cache. */
export function cacheDir() {
  const { AIRFRAME_CACHE_DIR: own, XDG_CACHE_HOME: xdg } = process.env;
  return own ? resolve(own) : join(xdg ? resolve(xdg) : join(homedir(), '.cache'), 'airframe');
}

/** Returns the absolute path of llama-server, built on the first call (minutes). LLAMA_SERVER_PATH wins. */
export async function ensureLlamaServer({ log = toStderr } = {}) {
  const given = process.env.LLAMA_SERVER_PATH;
  if (!given) return (await ensureLlamaTools({ log }))['llama-server'];
  if (isProgram(resolve(given))) return resolve(given);
  throw new Error(
    `LLAMA_SERVER_PATH is ${given}, which is no executable file; correct it, or unset it to build llama-server`,
  );
}

/** Builds the named llama.cpp programs that the cache lacks. Returns absolute paths by target name. */
export async function ensureLlamaTools({ targets = ['llama-server'], log = toStderr } = {}) {
  if (process.platform === 'win32') throw new Error(`llama.cpp is not built on win32; ${OWN_SERVER}`);
  const base = join(root(), `${findBundle().release}-${process.platform}-${process.arch}-${machineHash()}`);
  const paths = Object.fromEntries(targets.map(target => [target, join(base, 'bin', target)]));
  const missing = () => targets.filter(target => !fs.existsSync(paths[target]));
  if (missing().length === 0) return paths;
  await withLock(`${base}.lock`, log, async () => {
    const wanted = missing(); // again: whoever held the lock may have built them
    if (wanted.length > 0) await build(wanted, paths, base, log);
  });
  return paths;
}

/** Returns the absolute path of llama.cpp's source (with its `gguf-py`), cloned on the first call. */
export async function ensureLlamaSource({ log = toStderr } = {}) {
  const { bundle, release } = findBundle();
  const source = join(root(), `${release}-source`);
  if (fs.existsSync(source)) return source;
  await withLock(`${source}.lock`, log, async () => {
    if (fs.existsSync(source)) return;
    const half = `${source}.half`;
    const out = { log, logFile: `${source}.log` };
    await ensurePrograms([['git']], BUILD_TOOLS, out);
    fs.rmSync(half, { recursive: true, force: true });
    await run(`cloning llama.cpp ${release}`, 'git', ['clone', bundle, half], out);
    fs.renameSync(half, source);
  });
  return source;
}

async function build(targets, paths, base, log) {
  const started = Date.now();
  const [tree, names] = [`${base}.build`, targets.join(', ')];
  const out = { log, logFile: `${base}.log` };
  log(`building ${names} from llama.cpp: once, some minutes; output in ${out.logFile}`);
  await ensurePrograms([['git'], ['cmake'], ['ninja', 'make'], ...COMPILERS], BUILD_TOOLS, out);
  const source = await ensureLlamaSource({ log });
  // Reused only if its last build ended well, in this place: a killed compiler can leave half an object file
  // that looks up to date, and cmake refuses a tree that was moved.
  const whole = join(tree, 'whole');
  if (readMatch(whole, /.*/)[0] !== tree) fs.rmSync(tree, { recursive: true, force: true, maxRetries: 5 });
  fs.rmSync(whole, { force: true });
  const [generator, tool] = findProgram('ninja') ? ['Ninja', 'ninja'] : ['Unix Makefiles', 'make'];
  await run('configuring', 'cmake', ['-S', source, '-B', tree, '-G', generator, ...CMAKE_OPTIONS], out);
  // Not through `cmake --build`, which when killed leaves its ninja running.
  await run('compiling', tool, ['-C', tree, '-j', `${availableParallelism()}`, ...targets], out);
  for (const target of targets) {
    const built = join(tree, 'bin', target);
    await run(`trying ${target}`, built, [target === 'llama-server' ? '--version' : '--help'], out);
    fs.mkdirSync(dirname(paths[target]), { recursive: true });
    fs.renameSync(built, paths[target]);
  }
  fs.writeFileSync(whole, tree);
  log(`built ${names} in ${since(started)}`);
}

/** The bundle with llama.cpp's source, and the release that it holds. */
function findBundle() {
  const given = process.env.LLAMA_CPP_BUNDLE_DIR;
  // node-llama-cpp's `exports` hides its package.json, so look in the folders that resolution would search.
  const require = createRequire(new URL('../packages/llamacpp-native/package.json', import.meta.url));
  const dirs = given
    ? [resolve(given)]
    : require.resolve.paths('node-llama-cpp').map(dir => join(dir, 'node-llama-cpp', 'llama'));
  const dir = dirs.find(candidate => fs.existsSync(join(candidate, 'gitRelease.bundle')));
  if (!dir) {
    throw new Error(
      given
        ? `LLAMA_CPP_BUNDLE_DIR is ${given}, which holds no gitRelease.bundle; name node-llama-cpp's folder \`llama\``
        : `packages/llamacpp-native has no node-llama-cpp with llama.cpp's source; run \`pnpm install\`, or ${OWN_SERVER}`,
    );
  }
  const { release } = JSON.parse(fs.readFileSync(join(dir, 'binariesGithubRelease.json'), 'utf8'));
  return { bundle: join(dir, 'gitRelease.bundle'), release };
}

/** What a cached program depends on: CPU features (-march=native), the system's libraries, the options. */
function machineHash() {
  const cpu = readMatch('/proc/cpuinfo', /^(?:flags|Features)\s*:.*$/m)[0] ?? cpus()[0]?.model ?? '';
  const system = readMatch('/etc/os-release', /^(?:ID|VERSION_ID)=.*$/gm);
  return createHash('sha256')
    .update([cpu, ...system, ...CMAKE_OPTIONS].join('\n'))
    .digest('hex')
    .slice(0, 8);
}

const readMatch = (file, pattern) =>
  (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').match(pattern) : null) ?? [];
/** Runs `work` while holding `lock`: waits for a living holder, breaks the lock of a dead one. */
async function withLock(lock, log, work) {
  fs.mkdirSync(dirname(lock), { recursive: true });
  for (let tries = 0; !tryLock(lock); tries++) {
    const hint = 'delete that file if the process builds no llama.cpp';
    if (tries % 60 === 1) log(`waiting for process ${holder(lock)}, which holds ${lock}; ${hint}`);
    await sleep(500);
  }
  heldLocks.add(lock);
  const release = () => heldLocks.delete(lock) && unlock(lock);
  process.once('exit', release);
  await work().finally(() => {
    process.off('exit', release);
    release();
  });
}

function tryLock(lock) {
  // A symlink is exclusive like mkdir, and unlike a folder it is never without its pid.
  if (attempt(() => fs.symlinkSync(`${process.pid}`, lock), 'EEXIST') !== 'EEXIST') return true;
  const pid = holder(lock);
  // In containers pids recur: a lock with our own pid that we do not hold is a dead one's.
  const dead = pid === process.pid ? !heldLocks.has(lock) : pid > 0 && !isAlive(pid);
  if (dead && holder(lock) === pid) unlock(lock);
  return false;
}

const holder = lock => Number(attempt(() => fs.readlinkSync(lock), 'ENOENT')); // NaN: released meanwhile
const unlock = lock => attempt(() => fs.unlinkSync(lock), 'ENOENT');
const isAlive = pid => attempt(() => process.kill(pid, 0), 'ESRCH', 'EPERM') !== 'ESRCH';

/** Returns what `work` returns, or the code of its error if that is among the expected ones. */
function attempt(work, ...expected) {
  try {
    return work();
  } catch (error) {
    if (expected.includes(error.code)) return error.code;
    throw error;
  }
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  // So that the exit listeners end the compiler and free the lock.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
  try {
    const targets = process.argv.slice(2);
    const paths =
      targets.length > 0 ? Object.values(await ensureLlamaTools({ targets })) : [await ensureLlamaServer()];
    process.stdout.write(`${paths.join('\n')}\n`);
  } catch (error) {
    toStderr(error.message);
    process.exitCode = 1;
  }
}
