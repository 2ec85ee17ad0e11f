// llama.cpp in this process, beside llama.cpp as a server (bench/native).
import { BENCHES } from '../../bench/benches.mjs';
import { provenance, table } from '../../scripts/figures.mjs';
import { measuredBy } from '../../scripts/measured.mjs';

export const name = 'bench-native';
export const files = ['docs/benchmarks.md'];
export const { code } = BENCHES.native;
export const hasQuick = true;

export const measure = args => measuredBy(BENCHES.native.script, args);

const distinct = values => [...new Set(values)];

export function render(json) {
  const cells = distinct(json.rows.map(({ cell }) => cell));
  const groups = distinct(json.rows.map(({ model, threads }) => `${model}, ${threadsOf(threads)}`));
  const rows = distinct(json.rows.map(({ row }) => row));
  const find = (group, row, cell) =>
    json.rows.find(
      one => `${one.model}, ${threadsOf(one.threads)}` === group && one.row === row && one.cell === cell,
    );
  const lines = groups.flatMap(group =>
    rows.map(row => [`${group}: ${row}`, ...cells.map(cell => textOf(find(group, row, cell)))]),
  );
  return [
    'Tokens a second, and in brackets how many times those of `llama-server`: the median of the ratios within a round, so it need not be that of the figures.',
    table(['', ...cells], lines),
    provenance(json),
  ].join('\n\n');
}

const threadsOf = threads => `${threads} ${threads === 1 ? 'thread' : 'threads'}`;

function textOf(result) {
  if (!result?.perSecond) return '';
  const ratio = result.ratio === undefined ? '' : ` (${result.ratio.toFixed(2)})`;
  return `${result.perSecond.toFixed(0)}${ratio}`;
}
