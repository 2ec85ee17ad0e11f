// Where what is built of llama.cpp lies. Nothing is built here: the package looks for its addon with this, too.
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CMAKE_OPTIONS = [
  '-DCMAKE_BUILD_TYPE=Release',
  '-DBUILD_SHARED_LIBS=OFF', // one file that can be moved out of the build tree
  '-DGGML_NATIVE=ON', // the cache key holds the CPU's flags, so this never meets another CPU
  '-DCMAKE_POSITION_INDEPENDENT_CODE=ON', // the addon and the programs are made of the same objects
  '-DGGML_OPENMP=OFF', // ggml's own threads: no libgomp at run time
  '-DLLAMA_OPENSSL=OFF', // the tests speak plain HTTP
  '-DLLAMA_BUILD_UI=OFF', // would run an npm build
  '-DLLAMA_USE_PREBUILT_UI=OFF', // would download the web UI
  '-DLLAMA_BUILD_TESTS=OFF',
  '-DLLAMA_BUILD_EXAMPLES=OFF',
  '-DLLAMA_BUILD_APP=OFF',
  '-DLLAMA_BUILD_IS_DEV=OFF', // the bundle is a release, so `--version` should not say "-dev"
];

/** The folder with CMakeLists.txt and the addon's source: seen from here, from `src` and from `dist` alike. */
export const NATIVE_DIR = fileURLToPath(new URL('../native/', import.meta.url));

/** What cmake is given, by file name. */
export function nativeSources() {
  const names = fs.readdirSync(NATIVE_DIR).filter(name => /\.(?:cpp|h|txt)$/.test(name));
  return names.sort().map(name => ({ name, text: fs.readFileSync(join(NATIVE_DIR, name), 'utf8') }));
}

/** The cache folder, absolute: AIRFRAME_CACHE_DIR, else `airframe` in XDG_CACHE_HOME or ~/.cache. */
export function cacheDir() {
  const { AIRFRAME_CACHE_DIR: own, XDG_CACHE_HOME: xdg } = process.env;
  return own ? resolve(own) : join(xdg ? resolve(xdg) : join(homedir(), '.cache'), 'airframe');
}

export const llamaCacheDir = () => join(cacheDir(), 'llama.cpp');

/** What the names of all folders begin with that hold what was built for this machine, of this release. */
export const builtBase = () =>
  join(llamaCacheDir(), `${findBundle().release}-${process.platform}-${process.arch}-${machineHash()}`);

export const builtPath = file => join(builtBase(), 'bin', file);

/** Where the addon is once it is built; of other sources it would be another file. */
export const addonPath = () =>
  builtPath(`llamacpp_native-${hashOf(nativeSources().map(({ text }) => text))}.node`);

/**
 * The bundle with llama.cpp's source, and the release that it holds. LLAMA_CPP_BUNDLE_DIR wins.
 * @throws when there is none
 */
export function findBundle() {
  const given = process.env.LLAMA_CPP_BUNDLE_DIR;
  const dir = given ? resolve(given) : join(dependencyDir('node-llama-cpp'), 'llama');
  if (!fs.existsSync(join(dir, 'gitRelease.bundle'))) {
    const source = given ? `LLAMA_CPP_BUNDLE_DIR is ${given}, which` : dir;
    throw new Error(`${source} holds no gitRelease.bundle; name node-llama-cpp's folder \`llama\``);
  }
  const { release } = JSON.parse(fs.readFileSync(join(dir, 'binariesGithubRelease.json'), 'utf8'));
  return { bundle: join(dir, 'gitRelease.bundle'), release };
}

/** The folder of a dependency of this package. @throws when it is not installed */
export function dependencyDir(name) {
  const require = createRequire(join(NATIVE_DIR, 'paths.mjs'));
  const dirs = (require.resolve.paths(name) ?? []).map(dir => join(dir, name));
  const dir = dirs.find(candidate => fs.existsSync(candidate));
  if (!dir) throw new Error(`${name} is not installed beside @x/llamacpp-native; install it`);
  return dir;
}

/** What a cached program depends on: CPU features (-march=native), the system's libraries, the options. */
function machineHash() {
  const cpu = readMatch('/proc/cpuinfo', /^(?:flags|Features)\s*:.*$/m)[0] ?? cpus()[0]?.model ?? '';
  return hashOf([cpu, ...readMatch('/etc/os-release', /^(?:ID|VERSION_ID)=.*$/gm), ...CMAKE_OPTIONS]);
}

const hashOf = lines => createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 8);

export const readMatch = (file, pattern) =>
  (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').match(pattern) : null) ?? [];
