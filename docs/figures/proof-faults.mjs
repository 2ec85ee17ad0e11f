// What fails, what is promised then, and what was seen (proof/faults).
import { textTable } from '../../scripts/figure-tables.mjs';
import { provenance } from '../../scripts/figures.mjs';
import { measuredBy } from '../../scripts/measured.mjs';

export const name = 'proof-faults';
export const files = ['docs/proof.md'];
export const code = ['packages/airframe/src', 'packages/avionics/src', 'apps/gateway/src', 'proof/faults'];

export const measure = () => measuredBy('proof/faults/run.mjs');

export function render(json) {
  const { rows, tests, seconds } = json;
  const held = rows.filter(row => row.held).length;
  const parts = [...new Set(rows.map(({ part }) => part))];
  return [
    `${held} of ${rows.length} promises held, in ${tests} tests and ${seconds} seconds.`,
    provenance(json),
    ...parts.flatMap(part => [`### ${part}`, tableOf(rows.filter(row => row.part === part))]),
  ].join('\n\n');
}

function tableOf(rows) {
  const cells = rows.map(({ scenario, promise, seen, tests, again, held }) => [
    scenario,
    promise,
    seen,
    held
      ? `yes (${tests} ${tests === 1 ? 'test' : 'tests'}${again > 0 ? `, ${again} at the second try` : ''})`
      : '**no**',
  ]);
  return textTable(['what fails', 'promised', 'seen', 'held'], cells);
}
