// How modules of docs/figures measure: by the command that readers run as well.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, run } from './workspace.mjs';

/** What is written anew with each file of figures. */
const FACTS = ['name', 'date', 'commit', 'node', 'cpus'];

/**
 * Runs a script with `--json FILE`.
 * @param script from the root
 * @returns what it wrote, for `writeFigures`
 * @throws Error when it wrote nothing
 */
export async function measuredBy(script, args = []) {
  const folder = mkdtempSync(join(tmpdir(), 'figures-'));
  const file = join(folder, 'figures.json');
  try {
    const code = await run(process.execPath, [join(ROOT, script), ...args, '--json', file]);
    if (!existsSync(file)) throw new Error(`${script} ended with ${code} and wrote no figures`);
    if (code !== 0) console.error(`${script} ended with ${code}: its figures say what was missed`);
    const figures = JSON.parse(readFileSync(file, 'utf8'));
    return Object.fromEntries(Object.entries(figures).filter(([key]) => !FACTS.includes(key)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
