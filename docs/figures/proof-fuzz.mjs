// Random streams, requests and bytes (proof/fuzz).
import { textTable } from '../../scripts/figure-tables.mjs';
import { provenance } from '../../scripts/figures.mjs';
import { measuredBy } from '../../scripts/measured.mjs';

export const name = 'proof-fuzz';
export const files = ['docs/proof.md'];
export const code = ['packages/airframe/src', 'packages/avionics/src', 'apps/gateway/src', 'proof/fuzz'];

export const measure = () => measuredBy('proof/fuzz/run.mjs');

export function render(json) {
  const cells = json.rows.map(({ name: part, promise, cases, unit, outcomes, held }) => {
    const most = Object.entries(outcomes).sort(([, one], [, other]) => other - one);
    const told = most.map(([outcome, count]) => `${count} × ${outcome}`).join(', ');
    return [part, promise, `${cases} ${unit}: ${told}`, held ? 'yes' : '**no**'];
  });
  const table = textTable(['what is random', 'promised', 'seen', 'held'], cells);
  return [provenance(json), table].join('\n\n');
}
