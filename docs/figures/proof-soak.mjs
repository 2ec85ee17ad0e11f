// Mixed traffic with faults for minutes, and what is left when it is over (proof/soak).
import { textTable } from '../../scripts/figure-tables.mjs';
import { provenance } from '../../scripts/figures.mjs';
import { measuredBy } from '../../scripts/measured.mjs';

export const name = 'proof-soak';
export const files = ['docs/proof.md'];
export const code = ['packages/airframe/src', 'packages/avionics/src', 'apps/gateway/src', 'proof/soak'];

export const measure = () => measuredBy('proof/soak/run.mjs');

export function render(json) {
  const { minutes, calls, ended, rows } = json;
  const cells = rows.map(({ who, what, seen, wanted, held, note }) => [
    who,
    what,
    note ? `${seen} (${note})` : seen,
    wanted,
    held ? 'yes' : '**no**',
  ]);
  return [
    `${calls} calls in ${minutes} minutes: ${ended.whole} whole, ${ended.failed} failed as the upstream was told to, ${ended.left} left by their callers.`,
    provenance(json),
    textTable(['where', 'what', 'seen', 'promised', 'held'], cells),
  ].join('\n\n');
}
