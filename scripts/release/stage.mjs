// The packages as the next release would have them: versions raised and changelogs written, in a copy that is thrown away.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT, run, workspaceFolders } from '../workspace.mjs';

const FILES = ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', 'LICENSE', '.changeset'];

/** The folders of the packages that are published. */
export const publishedFolders = () => workspaceFolders().filter(folder => !manifestOf(ROOT, folder).private);

/**
 * Copies the workspace and raises the versions there.
 * @param copy an empty folder
 * @returns `{ name, folder, from, to, changelog }` of each published package; `folder` is the copied one
 */
export async function stageRelease(copy) {
  for (const file of FILES) cpSync(join(ROOT, file), join(copy, file), { recursive: true });
  for (const folder of workspaceFolders()) copyFolder(folder, copy);
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction');
  const before = new Map(publishedFolders().map(folder => [folder, manifestOf(copy, folder).version]));
  await raiseVersions(copy);
  return publishedFolders().map(folder => {
    const { name, version } = manifestOf(copy, folder);
    return {
      name,
      folder: join(copy, folder),
      from: before.get(folder),
      to: version,
      changelog: newest(join(copy, folder)),
    };
  });
}

/** Of an app the manifest is enough. The links in a package's node_modules are relative, so they lead into the copy. */
function copyFolder(folder, copy) {
  const from = join(ROOT, folder);
  mkdirSync(join(copy, folder), { recursive: true });
  if (dirname(folder) === 'apps') {
    cpSync(join(from, 'package.json'), join(copy, folder, 'package.json'));
    return;
  }
  cpSync(from, join(copy, folder), { recursive: true, verbatimSymlinks: true });
}

/** The changelogs name commits; they are looked up in this repository, of which nothing is changed. */
async function raiseVersions(copy) {
  const gitDir = execFileSync('git', ['rev-parse', '--absolute-git-dir'], {
    cwd: ROOT,
    encoding: 'utf8',
  }).trim();
  const env = { ...process.env, GIT_DIR: gitDir, GIT_WORK_TREE: copy };
  const program = join(ROOT, 'node_modules', '@changesets', 'cli', 'bin.js');
  const stdio = ['ignore', 'ignore', process.stderr];
  const code = await run(process.execPath, [program, 'version'], { cwd: copy, env, stdio });
  if (code !== 0) throw new Error('changeset version failed; the reason stands above');
}

/** The newest section of a changelog, without its heading; empty where nothing is to be released. */
function newest(folder) {
  const file = join(folder, 'CHANGELOG.md');
  if (!existsSync(file)) return '';
  const [, section = ''] = readFileSync(file, 'utf8').split(/^## .*$/m);
  return section.trim();
}

function manifestOf(root, folder) {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
}
