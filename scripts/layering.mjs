// The layering check: which package may import which, and inside airframe which floor may see which.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ROOT, workspaceFolders } from './workspace.mjs';

/** Package → the packages of this workspace it may import. */
const MAY_IMPORT = {
  '@x/airframe': [],
  '@x/avionics': ['@x/airframe', '@x/llamacpp-native'],
};

/** Every other package is an adapter. Apps stand on top of everything. */
const ADAPTER_MAY_IMPORT = ['@x/airframe'];

/** airframe's floors, from the ground up: a file may import from its own floor and those below. */
const FLOORS = [
  [
    'errors',
    'events',
    'request',
    'operations',
    'endpoint',
    'validate',
    'per-endpoint',
    'collect',
    'serial-stream',
  ],
  ['assemble'],
  ['transport'],
  ['wire-openai'],
  ['adapter', 'event-stream'],
  ['adapters'],
  ['client', 'wrap', 'health', 'registry'],
  ['testing', 'conformance'],
  ['index'],
];

/** Adapters stand alone, but for these: the same protocol at another address. */
const BUILDS_ON = { 'azure-openai': 'openai-chat' };

/** A published subpath of its own: whoever imports the package must not load it. */
const APART = 'testing';

const problems = [];

for (const folder of workspaceFolders()) {
  const { name, dependencies, peerDependencies } = JSON.parse(
    readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
  );
  const allowed = dirname(folder) === 'apps' ? undefined : (MAY_IMPORT[name] ?? ADAPTER_MAY_IMPORT);
  for (const dependency of Object.keys({ ...dependencies, ...peerDependencies })) {
    if (allowed && dependency.startsWith('@x/') && !allowed.includes(dependency)) {
      problems.push(`${folder}/package.json depends on ${dependency}, which ${name} must not know`);
    }
  }
  for (const file of sources(join(ROOT, folder, 'src'))) {
    for (const specifier of imports(file)) check(file, specifier, name, allowed);
  }
}

for (const problem of problems) console.error(problem);
console.log(
  problems.length === 0 ? 'layering: every import points downwards' : `layering: ${problems.length} problems`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

function check(file, specifier, name, allowed) {
  const where = relative(ROOT, file);
  const target = /^(@x\/[^/]+)/.exec(specifier)?.[1];
  if (allowed && target && target !== name && !allowed.includes(target)) {
    problems.push(`${where} imports ${target}, which ${name} must not know`);
  }
  if (name !== '@x/airframe' || !specifier.startsWith('.')) return;
  const root = join(ROOT, 'packages', 'airframe', 'src');
  const from = relative(root, file).split(/[/.]/);
  const to = relative(root, join(dirname(file), specifier)).split(/[/.]/);
  if (floor(to) > floor(from)) problems.push(`${where} imports ${specifier}, which is on a floor above it`);
  if (to[0] === APART && from[0] !== APART) {
    problems.push(`${where} imports ${specifier}, which stands apart`);
  }
  if (from[0] === 'adapters' && to[0] === 'adapters' && from[1] !== to[1] && BUILDS_ON[from[1]] !== to[1]) {
    problems.push(`${where} imports ${specifier}: one adapter must not know another`);
  }
}

function floor([first]) {
  const index = FLOORS.findIndex(names => names.includes(first));
  if (index < 0)
    throw new Error(`scripts/layering.mjs does not know on which floor ${first} is; add it to FLOORS`);
  return index;
}

/** Type imports count as well: a contract that names a type of a floor above depends on it. */
function imports(file) {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:^|\s)(?:from|import)\s*\(?\s*'([^']+)'/g)].map(match => match[1]);
}

function sources(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(
      entry =>
        entry.isFile() && /(?<!\.test)\.tsx?$/.test(entry.name) && !/__fixtures__/.test(entry.parentPath),
    )
    .map(entry => join(entry.parentPath, entry.name));
}
