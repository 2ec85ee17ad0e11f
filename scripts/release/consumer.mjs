// A user's project: empty but for the tarballs, a compiler and one program, as an ES module and as CommonJS.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../workspace.mjs';
import { canRequireModules } from './node-runtimes.mjs';

const exec = promisify(execFile);
const PATIENCE_MS = 300_000;
const ROOT_MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** The GPU builds of the binding weigh 600 MB; the projects, like this workspace, do without them. */
const LEFT_OUT = readFileSync(join(ROOT, 'pnpm-workspace.yaml'), 'utf8').match(/@node-llama-cpp\/[\w-]+/g);

/** Projects are CommonJS where a file does not say otherwise, and are checked as strictly as a project can be. */
const COMPILER = { target: 'es2022', lib: ['es2023'], types: ['node'], strict: true, skipLibCheck: false };
const TSCONFIGS = {
  nodenext: {
    compilerOptions: { ...COMPILER, module: 'nodenext', moduleResolution: 'nodenext', outDir: 'out' },
    files: ['program.mts', 'program.cts'],
  },
  bundler: {
    compilerOptions: { ...COMPILER, module: 'esnext', moduleResolution: 'bundler', noEmit: true },
    files: ['program.mts'],
  },
};

/** How each manager is started, and the fields by which a project says which file a package is. */
export const MANAGERS = {
  npm: {
    install: ['npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'],
    // npm has no list of dependencies to leave out: an empty package stands in their place.
    write: folder => {
      mkdirSync(join(folder, 'nothing'));
      write(folder, 'nothing/package.json', { name: 'nothing', version: '0.0.0' });
      return { overrides: Object.fromEntries(LEFT_OUT.map(name => [name, 'file:./nothing'])) };
    },
  },
  pnpm: {
    install: [
      'npm',
      'exec',
      '--yes',
      `--package=${ROOT_MANIFEST.packageManager}`,
      '--',
      'pnpm',
      'install',
      '--no-frozen-lockfile',
      '--prefer-offline',
    ],
    // What a tarball depends on is not on the registry yet; pnpm looks there where no override says otherwise.
    write: (folder, tarballs) => {
      write(folder, 'pnpm-workspace.yaml', {
        packages: ['.'],
        overrides: tarballs,
        ignoredOptionalDependencies: LEFT_OUT,
        allowBuilds: { 'node-llama-cpp': false },
      });
      return {};
    },
  },
};

/**
 * Installs, compiles and runs one way of use in one project.
 * @param tarballs name → path of the tarball, of the packages that the way installs
 * @param node `{ version, bin }`
 * @returns how CommonJS was run
 * @throws Error that begins with the step that failed
 */
export async function tryWay({ folder, way, manager, node, tarballs }) {
  mkdirSync(folder, { recursive: true });
  const files = Object.fromEntries(
    Object.entries(tarballs).map(([name, path]) => [name, `file:${relative(folder, path)}`]),
  );
  const own = MANAGERS[manager].write(folder, files);
  const [major] = node.version.split('.');
  const devDependencies = {
    '@types/node': `^${major}.0.0`,
    typescript: ROOT_MANIFEST.devDependencies.typescript,
  };
  write(folder, 'package.json', {
    name: 'consumer',
    private: true,
    dependencies: files,
    devDependencies,
    ...own,
  });
  for (const extension of ['mts', 'cts']) copyFileSync(way.program, join(folder, `program.${extension}`));

  const [command, ...args] = MANAGERS[manager].install;
  await perform('install', node, folder, command, args);
  for (const [name, tsconfig] of Object.entries(TSCONFIGS)) {
    write(folder, `tsconfig.${name}.json`, tsconfig);
    const compiler = join('node_modules', 'typescript', 'bin', 'tsc');
    await perform(`types, ${name}`, node, folder, 'node', [compiler, '-p', `tsconfig.${name}.json`]);
  }
  await says('import', node, folder, way, 'program.mjs');
  if (canRequireModules(node.version)) {
    await says('require', node, folder, way, 'program.cjs');
    return 'require';
  }
  // Before it could require ES modules, CommonJS had `import()`.
  writeFileSync(join(folder, 'out', 'importing.cjs'), "import('./program.mjs');\n");
  await says('import()', node, folder, way, 'importing.cjs');
  return 'import()';
}

async function says(step, node, folder, { args = [], says }, file) {
  const stdout = await perform(step, node, folder, 'node', [join('out', file), ...args]);
  if (!says.test(stdout)) throw new Error(`${step}: said ${JSON.stringify(stdout)}, which is not ${says}`);
}

/** With the Node of the trial for everything: the manager, its install scripts, the compiler and the program. */
async function perform(step, { bin }, cwd, command, args) {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, CI: 'true' };
  for (const name of Object.keys(env)) if (/^npm_(?!config_)/i.test(name)) delete env[name];
  const shell = process.platform === 'win32';
  try {
    const { stdout } = await exec(command, args, { cwd, env, shell, timeout: PATIENCE_MS, maxBuffer: 1e8 });
    return stdout;
  } catch (error) {
    const why = error.killed ? `not done after ${PATIENCE_MS / 1000} s` : `exit code ${error.code}`;
    throw new Error(`${step}: ${why}\n${error.stdout}${error.stderr}`.trimEnd());
  }
}

function write(folder, file, content) {
  writeFileSync(join(folder, file), JSON.stringify(content, null, 2));
}
