import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The workspace's loader for its sources, where these are run as they stand: in its own tests. */
const RUN_SOURCES = new URL('../../../../scripts/run-sources.mjs', import.meta.url).href;

const BUILT: string[] = [];
const SOURCES = ['--conditions=@x/source', `--import=${RUN_SOURCES}`];

/** The program of the child, beside this file whatever it is built into, and what Node needs to run it. */
export function childEntry(): { path: string; execArgv: string[] } {
  const extension = extname(import.meta.url);
  const path = fileURLToPath(new URL(`./child-main${extension}`, import.meta.url));
  return { path, execArgv: extension === '.ts' ? SOURCES : BUILT };
}
