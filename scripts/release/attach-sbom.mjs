// Attaches the list of dependencies of each package that was published to its release.
import { join } from 'node:path';
import { ROOT, run } from '../workspace.mjs';
import { sbomFile } from './sbom-file.mjs';

/** As changesets/action says it: `[{ name, version }]`. */
const published = JSON.parse(process.env.PUBLISHED ?? '[]');

for (const { name, version } of published) {
  const file = join(ROOT, 'sbom', sbomFile(name));
  const code = await run('gh', ['release', 'upload', `${name}@${version}`, file, '--clobber']);
  if (code === 0) continue;
  console.error(`${file} could not be attached to the release ${name}@${version}`);
  process.exitCode = 1;
}
