// `pnpm sbom:write [FOLDER]`: the production dependencies of each published package as CycloneDX JSON, checked to be whole.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { sbomFile } from './release/sbom-file.mjs';
import { publishedFolders } from './release/stage.mjs';
import { outputOfPnpm, ROOT } from './workspace.mjs';

/** Of the versions that pnpm writes the one that most readers know. */
const SPEC_VERSION = '1.6';

const folder = resolve(process.argv[2] ?? join(ROOT, 'sbom'));
try {
  mkdirSync(folder, { recursive: true });
  // Those of an earlier run, and nothing else: the folder is the caller's.
  for (const name of readdirSync(folder)) if (name.endsWith('.cdx.json')) rmSync(join(folder, name));
  console.error('Listing the dependencies …');
  await write();
  for (const line of publishedFolders().map(check)) console.log(line);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function write() {
  const format = ['--sbom-format', 'cyclonedx', '--sbom-spec-version', SPEC_VERSION];
  const filters = publishedFolders().flatMap(path => ['--filter', `./${path}`]);
  const args = ['sbom', ...format, '--prod', '--split', ...filters, '--out', join(folder, '%s.cdx.json')];
  const { code, stdout, stderr } = await outputOfPnpm(args);
  if (code !== 0) throw new Error(`pnpm sbom failed: ${stderr || stdout}`);
}

/** Whether the list of a package names what its manifest does, and whether each part says what it is. */
function check(path) {
  const {
    name,
    version,
    dependencies = {},
  } = JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8'));
  const file = sbomFile(name);
  if (!readdirSync(folder).includes(file)) throw new Error(`pnpm sbom wrote no ${file} into ${folder}`);
  const bom = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const demand = (holds, what) => {
    if (!holds) throw new Error(`${join(folder, file)}: ${what}`);
  };
  demand(
    bom.bomFormat === 'CycloneDX' && bom.specVersion === SPEC_VERSION,
    `is no CycloneDX ${SPEC_VERSION}`,
  );
  demand(nameOf(bom.metadata.component) === name, `is not of ${name}`);
  const known = new Set([bom.metadata.component, ...bom.components].map(part => part['bom-ref']));
  for (const part of bom.components) demand(part.name && part.version && part.purl, `a part lacks its name`);
  for (const { ref, dependsOn = [] } of bom.dependencies) {
    for (const one of [ref, ...dependsOn])
      demand(known.has(one), `depends on ${one}, which it does not list`);
  }
  const listed = new Set(bom.components.map(nameOf));
  const missing = Object.keys(dependencies).filter(one => !listed.has(one));
  demand(missing.length === 0, `lacks ${missing.join(', ')}`);
  return `${file}: ${name}@${version}, ${bom.components.length} components`;
}

function nameOf({ group, name }) {
  return group ? `${group}/${name}` : name;
}
