// How long the README's commands take for somebody who has nothing yet (scripts/first-start.mjs).
import { provenance, table } from '../../scripts/figures.mjs';
import { measuredBy } from '../../scripts/measured.mjs';

export const name = 'first-start';
export const files = ['README.md'];
export const code = ['scripts/start.mjs', 'scripts/gateway.mjs', 'scripts/workspace.mjs', 'pnpm-lock.yaml'];

export const measure = () => measuredBy('scripts/first-start.mjs');

export function render(json) {
  const cells = json.rows.map(({ what, seconds }) => [
    what.replace(/^(npm[^,]*),/, '`$1`,'),
    seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`,
  ]);
  const where = 'In a fresh clone, with an empty `HOME` and an empty cache of npm:';
  return [where, table(['', 'takes'], cells), provenance(json)].join('\n\n');
}
