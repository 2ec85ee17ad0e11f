// Figures of docs/capacity.md: the routing simulator (sim/routing), asked how much a pool of each size can take.
// `node scripts/figures.mjs --measure capacity` takes some two minutes.
import { readFileSync } from 'node:fs';
import { importNodes } from '../../bench/nodes.mjs';
import { groupedBars } from '../../scripts/figure-chart.mjs';
import { provenance, table } from '../../scripts/figures.mjs';
import { BLOCK_TOKENS } from '../../sim/routing/node.mjs';
import { SCENARIOS } from '../../sim/routing/scenarios.mjs';
import { simulate } from '../../sim/routing/simulate.mjs';
import { MEAN_ANSWER, MEAN_PROMPT, TURNS } from '../../sim/routing/workload.mjs';

export const name = 'capacity';
export const files = ['docs/capacity.md'];
export const code = ['packages/avionics/src/nodes', 'sim/routing'];

const [MODEL] = SCENARIOS;
const AGENTS_PER_NODE = MODEL.agents / MODEL.nodes;
const STRATEGIES = ['balanced', 'round_robin'];
/** What a pool has to keep to be said to carry a load: of calls without room or refused, and of TTFT at p99. */
const AIM = { overloadShare: 0.02, firstMsP99: 10_000 };
const SIZES = [1, 2, 4, 8, 16, 64];
const LOADS = [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5];
const FLEETS = [1, 2, 4, 8, 64, 256, 1_000];
const FLEET_LOAD = 1.5;
/** No node breaks down. */
const NEVER_SECONDS = 1e12;

/** Longer for small pools, where a single call says more. */
const secondsFor = nodes => Math.min(3_600, Math.max(40, Math.ceil(14_400 / nodes)));

export async function measure() {
  const { NodeRouter } = await importNodes('router');
  const calibration = JSON.parse(
    readFileSync(new URL('../../sim/routing/calibration.json', import.meta.url), 'utf8'),
  );
  const ask = (part, nodes, load, strategy, more = {}) => {
    process.stderr.write(`${part}: ${nodes} nodes, load ${load}, ${strategy} …\n`);
    const seconds = secondsFor(nodes);
    const scenario = { ...MODEL, nodes, load, seconds, agents: AGENTS_PER_NODE * nodes, ...more };
    const found = simulate({ NodeRouter, strategy, scenario, speed: calibration, seed: 1 });
    return { part, nodes, load, strategy, ...figuresOf(found, { nodes, seconds }) };
  };
  const rows = [
    ...SIZES.flatMap(nodes => STRATEGIES.map(strategy => carried(ask, nodes, strategy))),
    ...LOADS.slice(0, 5).flatMap(load => STRATEGIES.map(strategy => ask('load', 8, load, strategy))),
    ...FLEETS.map(nodes => ask('fleet', nodes, FLEET_LOAD, 'balanced')),
  ];
  return {
    command: 'node scripts/figures.mjs --measure capacity',
    aim: AIM,
    work: workOf(calibration),
    rows,
  };
}

/** The greatest load at which a pool whose nodes are all well keeps the aim. */
function carried(ask, nodes, strategy) {
  let best;
  for (const load of LOADS) {
    const found = ask('carried', nodes, load, strategy, { failEverySeconds: NEVER_SECONDS });
    if (found.overloadShare > AIM.overloadShare || found.firstMsP99 > AIM.firstMsP99) break;
    best = found;
  }
  return best ?? { part: 'carried', nodes, strategy, load: 0 };
}

function figuresOf(found, { nodes, seconds }) {
  const round = (value, digits) => Number(value.toFixed(digits));
  return {
    callsPerSecond: round(found.calls / seconds, 3),
    callsPerSecondAndNode: round(found.calls / seconds / nodes, 3),
    firstMsP50: Math.round(found.firstMsP50),
    firstMsP99: Math.round(found.firstMsP99),
    heldShare: round(found.heldShare, 3),
    refusedShare: round(found.refusedShare, 4),
    overloadShare: round(found.overloadShare, 4),
    microsPerDecision: Math.round(found.microsPerDecision),
  };
}

/** What an average call of the workload asks of a node that holds nothing, as in simulate.mjs. */
function workOf({ bySlots, model }) {
  const { promptTokensPerSecond } = bySlots[0];
  const generationTokensPerSecond = bySlots[MODEL.slots - 1].generationTokensPerSecond * MODEL.slots;
  const promptTokens = MEAN_PROMPT * BLOCK_TOKENS;
  const answerTokens = MEAN_ANSWER * BLOCK_TOKENS;
  const seconds = promptTokens / promptTokensPerSecond + answerTokens / generationTokensPerSecond;
  const node = { model, slots: MODEL.slots, storedTokens: MODEL.storedTokens };
  const call = { turns: TURNS, promptTokens, answerTokens, seconds: Number(seconds.toFixed(2)) };
  return { ...node, promptTokensPerSecond, generationTokensPerSecond, ...call };
}

const percent = share => `${(100 * share).toFixed(1)} %`;
const secondsText = ms => `${(ms / 1_000).toFixed(1)} s`;

const PARTS = {
  source: provenance,
  work: workTable,
  carried: carriedTable,
  load: loadTable,
  fleet: fleetTable,
};

export function render(json, part) {
  const write = PARTS[part];
  if (!write) throw new Error(`figures:capacity has no part ${part}; use ${Object.keys(PARTS).join(', ')}`);
  return write(json);
}

function workTable({ work }) {
  return table(
    ['of the simulated node and call', ''],
    [
      ['slots', work.slots],
      ['prompts kept beside the slots, tokens', work.storedTokens.toLocaleString('en')],
      ['prompt evaluation, tokens/s', work.promptTokensPerSecond],
      ['generation, all slots busy, tokens/s', work.generationTokensPerSecond],
      ['prompt of an average call, tokens', work.promptTokens],
      ['answer of an average call, tokens', work.answerTokens],
      ['work of a call when nothing is held, s', work.seconds],
      ['so load 1 is, calls/s for each node', (1 / work.seconds).toFixed(2)],
    ],
  );
}

function carriedTable({ rows }) {
  const of = (nodes, strategy) =>
    rows.find(row => row.part === 'carried' && row.nodes === nodes && row.strategy === strategy);
  return table(
    ['nodes', 'load, `balanced`', 'calls/s a node', 'TTFT p99', 'load, `round_robin`', 'calls/s a node'],
    SIZES.map(nodes => {
      const [ours, inTurn] = [of(nodes, 'balanced'), of(nodes, 'round_robin')];
      const calls = row => row.callsPerSecondAndNode?.toFixed(2) ?? '–';
      const load = row => row.load || `< ${LOADS[0]}`;
      const p99 = ours.firstMsP99 === undefined ? '–' : secondsText(ours.firstMsP99);
      return [nodes, load(ours), calls(ours), p99, load(inTurn), calls(inTurn)];
    }),
  );
}

function loadTable({ rows }) {
  return table(
    ['load, 8 nodes', 'strategy', 'calls/s', 'TTFT p50', 'p99', 'prompt held', 'queued or refused'],
    rows
      .filter(({ part }) => part === 'load')
      .map(row => [
        row.load,
        `\`${row.strategy}\``,
        row.callsPerSecond.toFixed(2),
        secondsText(row.firstMsP50),
        secondsText(row.firstMsP99),
        percent(row.heldShare),
        percent(row.overloadShare),
      ]),
  );
}

function fleetTable({ rows }) {
  return table(
    ['nodes', 'calls/s', 'TTFT p50', 'p99', 'prompt held', 'refused', 'queued or refused', 'µs a decision'],
    rows
      .filter(({ part }) => part === 'fleet')
      .map(row => [
        row.nodes.toLocaleString('en'),
        row.callsPerSecond.toFixed(1),
        secondsText(row.firstMsP50),
        secondsText(row.firstMsP99),
        percent(row.heldShare),
        percent(row.refusedShare),
        percent(row.overloadShare),
        row.microsPerDecision,
      ]),
  );
}

export function svg({ rows, aim }) {
  const carriedBy = strategy =>
    SIZES.map(nodes => {
      const row = rows.find(
        one => one.part === 'carried' && one.nodes === nodes && one.strategy === strategy,
      );
      return row?.callsPerSecondAndNode ?? 0;
    });
  return groupedBars({
    title: 'Calls per second that each node carries, by the size of the pool',
    note: `at most ${percent(aim.overloadShare)} of the calls without room, TTFT p99 at most ${secondsText(aim.firstMsP99)}`,
    groups: SIZES.map(nodes => `${nodes} node${nodes === 1 ? '' : 's'}`),
    series: STRATEGIES.map(strategy => ({ name: strategy, values: carriedBy(strategy) })),
  });
}
