// A package as it would be published, for the tests of packed packages and for the release.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withPnpm } from './workspace.mjs';

/** pnpm writes `workspace:` and `catalog:` ranges out, as it does when it publishes. */
export async function pack(folder, destination) {
  mkdirSync(destination, { recursive: true });
  const own = mkdtempSync(join(destination, '.pack-'));
  try {
    const args = ['--dir', folder, 'pack', '--pack-destination', own];
    const code = await withPnpm('pnpm', args, { stdio: ['ignore', 'ignore', process.stderr] });
    const [name] = readdirSync(own);
    if (code !== 0 || name === undefined) throw new Error(`packing ${folder} failed`);
    renameSync(join(own, name), join(destination, name));
    return join(destination, name);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}
