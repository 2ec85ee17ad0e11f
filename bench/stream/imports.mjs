import { fileURLToPath } from 'node:url';
import { startChild } from '../child.mjs';
import { median } from '../report.mjs';

const IMPORT_TIME = fileURLToPath(new URL('import-time.mjs', import.meta.url));

/** @returns per set of packages the median over `rounds` fresh processes, again in turns */
export async function measureImports(rows, rounds) {
  const sets = [...new Set(rows.map(({ imports }) => imports.join(' ')))];
  const times = sets.map(() => []);
  process.stderr.write('imports');
  for (let round = 0; round < rounds; round++) {
    for (const [at, set] of sets.entries()) {
      const child = await startChild(IMPORT_TIME, set.split(' '));
      times[at].push(child.ready);
      await child.stop();
    }
    process.stderr.write('.');
  }
  process.stderr.write('\n');
  return sets.map((imports, at) => ({
    imports,
    wallMs: median(times[at].map(({ wallMs }) => wallMs)),
    cpuMs: median(times[at].map(({ cpuMs }) => cpuMs)),
  }));
}
