// Builds programs and the addon once from the llama.cpp source that the npm package node-llama-cpp carries, and caches
// them outside the checkout.
//
// Below cacheDir()/llama.cpp:
//   <release>-source/    the cloned source
//   <key>/bin/           finished files, moved here only after they ran: what is here is whole
//   <key>.build/         the build tree, kept so that a second target (llama-bench) compiles little
//   <key>.native/        what cmake is given as its source: CMakeLists.txt and the addon's own
//   <key>.log            output of git, cmake and the compiler
//   *.lock               one process at a time: see lock.mjs
import * as fs from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { withLock } from './lock.mjs';
import {
  addonPath,
  builtBase,
  builtPath,
  CMAKE_OPTIONS,
  dependencyDir,
  findBundle,
  llamaCacheDir,
  nativeSources,
  readMatch,
} from './paths.mjs';
import { ensurePrograms, findProgram, isProgram, run, since, toStderr } from './programs.mjs';

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
};

/** The addon as a target beside llama.cpp's own. */
export const ADDON = 'llamacpp_native';

/** Returns the absolute path of llama-server, built on the first call (minutes). LLAMA_SERVER_PATH wins. */
export async function ensureLlamaServer({ log = toStderr } = {}) {
  const given = process.env.LLAMA_SERVER_PATH;
  if (!given) return (await ensureLlamaTools({ log }))['llama-server'];
  if (isProgram(resolve(given))) return resolve(given);
  throw new Error(
    `LLAMA_SERVER_PATH is ${given}, which is no executable file; correct it, or unset it to build llama-server`,
  );
}

/** Returns the absolute path of the addon, built on the first call (minutes). */
export const ensureAddon = async ({ log = toStderr } = {}) =>
  (await ensureLlamaTools({ targets: [ADDON], log }))[ADDON];

/** Builds the named targets that the cache lacks. Returns absolute paths by target name. */
export async function ensureLlamaTools({ targets = ['llama-server'], log = toStderr } = {}) {
  if (process.platform === 'win32') throw new Error(`llama.cpp is not built on win32; ${OWN_SERVER}`);
  const base = builtBase();
  const paths = Object.fromEntries(
    targets.map(target => [target, target === ADDON ? addonPath() : builtPath(target)]),
  );
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
  const source = join(llamaCacheDir(), `${release}-source`);
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
  const tools = targets.includes('llama-server') ? { ...BUILD_TOOLS, instead: OWN_SERVER } : BUILD_TOOLS;
  await ensurePrograms([['git'], ['cmake'], ['ninja', 'make'], ...COMPILERS], tools, out);
  const source = await ensureLlamaSource({ log });
  // Reused only if its last build came to an end, in this place: a killed compiler can leave half an object file
  // that looks up to date, and cmake refuses a tree that was moved.
  const whole = join(tree, 'whole');
  if (readMatch(whole, /.*/)[0] !== tree) fs.rmSync(tree, { recursive: true, force: true, maxRetries: 5 });
  fs.rmSync(whole, { force: true });
  const [generator, tool] = findProgram('ninja') ? ['Ninja', 'ninja'] : ['Unix Makefiles', 'make'];
  const options = [...CMAKE_OPTIONS, `-DLLAMA_CPP_SOURCE=${source}`, ...addonOptions()];
  const native = copyOfSources(`${base}.native`);
  await run('configuring', 'cmake', ['-S', native, '-B', tree, '-G', generator, ...options], out);
  try {
    // Not through `cmake --build`, which when killed leaves its ninja running.
    await run('compiling', tool, ['-C', tree, '-j', `${availableParallelism()}`, ...targets], out);
  } finally {
    fs.writeFileSync(whole, tree);
  }
  for (const target of targets) {
    const built = join(tree, 'bin', target === ADDON ? `${ADDON}.node` : target);
    await run(`trying ${target}`, ...trialOf(target, built), out);
    fs.mkdirSync(dirname(paths[target]), { recursive: true });
    fs.renameSync(built, paths[target]);
  }
  log(`built ${names} in ${since(started)}`);
}

function trialOf(target, built) {
  if (target === ADDON) return [process.execPath, ['-e', `require(${JSON.stringify(built)})`]];
  return [built, [target === 'llama-server' ? '--version' : '--help']];
}

/** Outside of the checkout, so that every checkout configures the same tree; what is the same is not touched. */
function copyOfSources(folder) {
  fs.mkdirSync(folder, { recursive: true });
  for (const { name, text } of nativeSources()) {
    const copy = join(folder, name);
    if (!fs.existsSync(copy) || fs.readFileSync(copy, 'utf8') !== text) fs.writeFileSync(copy, text);
  }
  return folder;
}

function addonOptions() {
  return [
    `-DNODE_API_HEADERS=${join(dependencyDir('node-api-headers'), 'include')}`,
    `-DNODE_ADDON_API=${dependencyDir('node-addon-api')}`,
    `-DLLAMACPP_NATIVE_BUILD=llama.cpp ${findBundle().release}`,
  ];
}
