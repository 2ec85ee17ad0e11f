// Writes into each manifest which repository it is published from: npm signs a provenance only for the one that is named.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../workspace.mjs';
import { publishedFolders } from './stage.mjs';

const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env;
if (!GITHUB_SERVER_URL || !GITHUB_REPOSITORY) {
  console.error(
    'GITHUB_SERVER_URL and GITHUB_REPOSITORY are not set; packages are published by .github/workflows/release.yml',
  );
  process.exit(1);
}
for (const folder of publishedFolders()) {
  const file = join(ROOT, folder, 'package.json');
  const url = `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`;
  const manifest = {
    ...JSON.parse(readFileSync(file, 'utf8')),
    repository: { type: 'git', url, directory: folder },
  };
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
}
