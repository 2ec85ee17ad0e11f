import { execFile } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pack } from '../scripts/pack.mjs';

const run = promisify(execFile);

export interface PackedProject {
  /** Paths of the packages installed, the project itself not among them. */
  packages: string[];
  /** Paths of the files in node_modules. */
  files: string[];
  /** Bytes of these files. */
  bytes: number;
  /** Runs an ES module with `node -e` in the project; resolves with its stdout. */
  node(program: string): Promise<string>;
  remove(): void;
}

/** An empty project with the packed tarballs of these workspace packages, installed by npm. */
export async function packedProject(...names: string[]): Promise<PackedProject> {
  const folder = mkdtempSync(join(tmpdir(), 'airframe-packed-'));
  const tarballs: string[] = [];
  for (const name of names) {
    const source = fileURLToPath(new URL(`../packages/${name}`, import.meta.url));
    tarballs.push(`./${basename(await pack(source, folder))}`);
  }
  await run('npm', ['init', '--yes'], { cwd: folder });
  await run('npm', ['install', '--no-audit', '--no-fund', ...tarballs], { cwd: folder });
  const { stdout } = await run('npm', ['ls', '--all', '--parseable'], { cwd: folder });
  const files = filesIn(join(folder, 'node_modules'));
  return {
    packages: stdout.trim().split('\n').slice(1),
    files,
    bytes: files.reduce((sum, file) => sum + lstatSync(file).size, 0),
    node: async program =>
      (await run('node', ['--input-type=module', '-e', program], { cwd: folder })).stdout,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));
}
