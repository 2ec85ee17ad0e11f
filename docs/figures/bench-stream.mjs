// CPU time of a streamed event, beside the bare loop and other libraries (bench/stream).
import { BENCHES } from '../../bench/benches.mjs';
import { chartOf, rowBars } from '../../scripts/figure-bars.mjs';
import { provenance, table } from '../../scripts/figures.mjs';
import { measuredBy } from '../../scripts/measured.mjs';

export const name = 'bench-stream';
export const files = ['docs/benchmarks.md', 'README.md'];
export const { code } = BENCHES.stream;

/** The scenario of the chart: that of most cloud APIs behind a proxy. */
const MAIN = 'text, 50 per write, 1 stream';
const OURS = /^(airframe|avionics)/;

export const hasQuick = true;

export async function measure(args) {
  const { rows, ...rest } = await measuredBy(BENCHES.stream.script, args);
  return { ...rest, rows: rows.filter(({ failure }) => failure === undefined) };
}

export function render(json, part) {
  if (part === 'readme') return short(json);
  const scenarios = [...new Set(json.rows.map(({ scenario }) => scenario))];
  const names = [...new Set(json.rows.map(({ row }) => row))];
  const cell = (scenario, row) => {
    const found = json.rows.find(one => one.scenario === scenario && one.row === row);
    return found ? `${found.cpuMicrosPerEvent.toFixed(2)} (${found.ratio?.toFixed(2) ?? '–'})` : '';
  };
  const cells = scenarios.map(scenario => [scenario, ...names.map(row => cell(scenario, row))]);
  return [
    chart(part),
    'CPU time of an event in microseconds, and in brackets how many times the bare loop that is.',
    table(['', ...names], cells),
    provenance(json),
  ].join('\n\n');
}

/** The scenario of the chart alone. */
function short(json) {
  const rows = json.rows.filter(({ scenario, ratio }) => scenario === MAIN && ratio !== undefined);
  const cells = rows.map(({ row, cpuMicrosPerEvent, ratio }) => [
    row,
    cpuMicrosPerEvent.toFixed(2),
    ratio.toFixed(2),
  ]);
  return [chart('readme'), table([MAIN, 'CPU µs an event', '× bare'], cells), provenance(json)].join('\n\n');
}

const chart = part => chartOf(name, 'CPU time of a streamed event, as a multiple of a bare loop', part);

export function svg(json) {
  const rows = json.rows.filter(({ scenario, ratio }) => scenario === MAIN && ratio !== undefined);
  return rowBars({
    title: 'CPU time of a streamed event',
    note: `× a bare undici and JSON.parse loop (less is better); ${MAIN}`,
    groups: [
      {
        rows: rows.map(({ row, ratio, cpuMicrosPerEvent }) => ({
          name: row,
          value: ratio,
          told: `${ratio.toFixed(2)} × (${cpuMicrosPerEvent.toFixed(1)} µs)`,
          isOurs: OURS.test(row),
        })),
      },
    ],
  });
}
