// How a pool of two llama-servers is shared by 16 agents, by strategy (bench/routing).
import { BENCHES } from '../../bench/benches.mjs';
import { chartOf, rowBars } from '../../scripts/figure-bars.mjs';
import { provenance, table } from '../../scripts/figures.mjs';
import { measuredBy } from '../../scripts/measured.mjs';

export const name = 'bench-routing';
export const files = ['docs/benchmarks.md', 'README.md'];
export const { code } = BENCHES.routing;

const MAIN = 'shared';
const OURS = 'balanced';

export const hasQuick = true;

export const measure = args => measuredBy(BENCHES.routing.script, args);

export function render(json, part) {
  const cells = json.rows
    .filter(({ scenario }) => scenario === MAIN)
    .map(row => [
      `\`${row.strategy}\``,
      row.rounds,
      row.evaluatedTokens.toFixed(0),
      `${((100 * row.evaluatedTokens) / row.promptTokens).toFixed(0)} %`,
      row.firstMsP50.toFixed(0),
      row.firstMsP99.toFixed(0),
      row.failures.length,
    ]);
  const headers = [
    'strategy',
    'rounds',
    'prompt tokens evaluated',
    'of all',
    'TTFT p50, ms',
    'p99, ms',
    'failed',
  ];
  return [
    chartOf(name, 'Prompt tokens evaluated and time to the first token, by strategy', part),
    table(headers, cells),
    ...failureText(json.failure),
    provenance(json),
  ].join('\n\n');
}

function failureText(failure) {
  if (!failure) return [];
  const { calls, silentAtTheEnd, streamingAtTheEnd, lost, cut, triedAgain } = failure;
  return [
    `A server was killed during ${calls} calls, with ${silentAtTheEnd} of them at it that had not begun and ${streamingAtTheEnd} that streamed: ${triedAgain} were tried again, ${lost} were lost, ${cut} were cut in mid-stream.`,
  ];
}

export function svg(json) {
  const rows = json.rows.filter(({ scenario }) => scenario === MAIN);
  const group = (title, value, told) => ({
    name: title,
    rows: rows.map(row => ({
      name: row.strategy,
      value: value(row) / Math.max(...rows.map(value)),
      told: told(row),
      isOurs: row.strategy === OURS,
    })),
  });
  return rowBars({
    title: 'Two llama-servers, 16 agents: how a node is chosen',
    note: 'less is better; each group has a scale of its own',
    groups: [
      group(
        'prompt tokens that had to be evaluated, a round',
        row => row.evaluatedTokens,
        row => row.evaluatedTokens.toFixed(0),
      ),
      group(
        'time to the first token, median',
        row => row.firstMsP50,
        row => `${row.firstMsP50.toFixed(0)} ms`,
      ),
    ],
  });
}
