// What the gateway costs between a client and a backend, beside a bare proxy and another gateway (bench/gateway).
import { BENCHES } from '../../bench/benches.mjs';
import { chartOf, rowBars } from '../../scripts/figure-bars.mjs';
import { provenance, table } from '../../scripts/figures.mjs';
import { measuredBy } from '../../scripts/measured.mjs';

export const name = 'bench-gateway';
export const files = ['docs/benchmarks.md', 'README.md'];
export const { code } = BENCHES.gateway;

const FULL = '20 events, 64 connections';
const PACED = '20 events, 16 connections, 400 requests/s';
const OURS = 'gateway';
/** The load generator straight at the upstream: no gateway. */
const DIRECT = 'direct';

export const hasQuick = true;

export const measure = args => measuredBy(BENCHES.gateway.script, args);

const fixed = (value, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : '');
const find = (json, scenario, row) => json.rows.find(one => one.scenario === scenario && one.row === row);

export function render(json, part) {
  const names = [...new Set(json.rows.map(({ row }) => row))].filter(row => row !== DIRECT);
  const cells = names.map(row => {
    const [full, paced] = [find(json, FULL, row), find(json, PACED, row)];
    const open = json.open?.find(one => one.row === row);
    return [
      row,
      fixed(full?.requestsPerSecond),
      fixed(full?.cpuMicros),
      fixed(full?.cpuRatio, 2),
      fixed(paced?.last?.addedP50, 2),
      fixed(paced?.last?.addedP99, 2),
      fixed(open?.rssMb),
    ];
  });
  const headers = [
    '',
    'requests/s',
    'CPU µs/request',
    '× bare',
    'added p50, ms',
    'added p99, ms',
    'MiB, 2,000 open streams',
  ];
  const what = `Requests and CPU time: ${FULL}. Added latency, to the last byte: ${PACED}.`;
  return [
    chartOf(name, 'CPU time of a proxied request, by gateway', part),
    what,
    table(headers, cells),
    provenance(json),
  ].join('\n\n');
}

export function svg(json) {
  const rows = json.rows.filter(
    ({ scenario, row, cpuMicros }) => scenario === FULL && row !== DIRECT && cpuMicros,
  );
  return rowBars({
    title: 'CPU time of a proxied request',
    note: `microseconds of CPU time, less is better; ${FULL}`,
    groups: [
      {
        rows: rows.map(({ row, cpuMicros, requestsPerSecond }) => ({
          name: row,
          value: cpuMicros,
          told: `${cpuMicros.toFixed(0)} µs (${requestsPerSecond.toFixed(0)}/s)`,
          isOurs: row === OURS,
        })),
      },
    ],
  });
}
