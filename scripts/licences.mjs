// The gate's check of licences: every dependency, by what pnpm reads in its manifest, against the lists below.
import { outputOfPnpm } from './workspace.mjs';

/** Permissive: what is under them may be used and passed on with Apache-2.0 code. */
const PERMISSIVE = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Python-2.0',
  'Unlicense',
]);

/** Also taken for tools, which are passed on to nobody. */
const FOR_TOOLS = new Set(['MPL-2.0']);

/** Packages whose manifest names no licence, and where it was read instead. */
const READ_BY_HAND = { spawndamnit: { licence: 'MIT', source: 'its LICENSE file; a tool' } };

const PROBLEM =
  'is not on the list of scripts/licences.mjs; add it there when it may be used, or drop the package';

const counts = [];
const problems = [];
for (const [what, flag, alsoTaken] of [
  ['production', '--prod', new Set()],
  ['development', '--dev', FOR_TOOLS],
]) {
  const licences = await licencesOf(flag);
  counts.push(`${licences.length} ${what}`);
  for (const { name, licence } of licences) {
    if (!isTaken(licence, alsoTaken)) problems.push(`${name}: ${licence} ${PROBLEM} (${what})`);
  }
}
for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log(`licences: ${counts.join(' and ')} dependencies, all on the list`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function licencesOf(flag) {
  const { code, stdout, stderr } = await outputOfPnpm(['licenses', 'list', '--recursive', '--json', flag]);
  if (code !== 0) throw new Error(`pnpm licenses list ${flag} failed: ${stderr || stdout}`);
  const packages = Object.entries(JSON.parse(stdout)).flatMap(([licence, list]) =>
    list.map(({ name }) => ({ name, licence: READ_BY_HAND[name]?.licence ?? licence })),
  );
  if (packages.length === 0) throw new Error(`pnpm licenses list ${flag} names no package; install first`);
  return packages;
}

/** An SPDX expression of ANDs within ORs, which is all that packages use; one of the choices is enough. */
function isTaken(expression, alsoTaken) {
  const plain = expression.replace(/[()]/g, '');
  const taken = id => PERMISSIVE.has(id) || alsoTaken.has(id);
  return plain.split(/ OR /i).some(choice => choice.split(/ AND /i).every(id => taken(id.trim())));
}
