// The node router, its pool and its provider, out of their sources: of the router the package exports nothing.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../scripts/workspace.mjs';

const AVIONICS = join(ROOT, 'packages', 'avionics');
/** Below the package, so that its imports are found as from there. */
const BUILT = join(AVIONICS, 'node_modules', '.cache', 'nodes');

/**
 * Bundles modules of `packages/avionics/src/nodes` and imports them.
 * @param names such as `router`
 * @returns all that they export, put together
 */
export async function importNodes(...names) {
  const { build } = await import('tsup');
  await build({
    config: false,
    entry: names.map(name => join(AVIONICS, 'src', 'nodes', `${name}.ts`)),
    format: 'esm',
    target: 'node20.18',
    outDir: BUILT,
    tsconfig: join(AVIONICS, 'tsconfig.json'),
    outExtension: () => ({ js: '.mjs' }),
    external: [/^[^./]/],
    silent: true,
  });
  const modules = names.map(name => import(pathToFileURL(join(BUILT, `${name}.mjs`)).href));
  return Object.assign({}, ...(await Promise.all(modules)));
}
