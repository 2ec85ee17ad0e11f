// One run: a strategy of the router, nodes that fail and come back, and conversations that begin at random.
import { exponential, randomOf } from '../../bench/random.mjs';
import { Agenda } from './agenda.mjs';
import { Dispatcher } from './dispatcher.mjs';
import { BLOCK_TOKENS, Node } from './node.mjs';
import { MEAN_ANSWER, MEAN_PROMPT, TURNS, Workload } from './workload.mjs';

/** Between two looks at a node, as in the pool. */
const HEALTH_MS = 5_000;

/**
 * @param NodeRouter the router's own class
 * @param scenario `nodes`, `slots` of each, `storedTokens` (of prompts, in RAM beside the slots), `agents`, `load` (work
 *   that would come if nothing were held, as a share of what the nodes can do), `seconds` that count after `warmUpSeconds`,
 *   `failEverySeconds` (of each node, on average) and `downSeconds`
 * @param speed see {@link Node}
 * @returns figures of the calls that began after the warm-up
 */
export function simulate({ NodeRouter, strategy, scenario, speed, seed }) {
  const agenda = new Agenda();
  const { slots, warmUpSeconds, seconds } = scenario;
  const nodes = new Map();
  for (let index = 0; index < scenario.nodes; index++) {
    nodes.set(`node-${index}`, new Node(agenda, speed, scenario));
  }
  const cacheTokens = scenario.storedTokens + slots * MEAN_PROMPT * BLOCK_TOKENS;
  const router = new NodeRouter({
    nodes: [...nodes.keys()].map(name => ({ name, slots, cacheTokens })),
    strategy,
    now: () => agenda.now,
    random: randomOf(seed + 1),
  });
  const dispatcher = new Dispatcher({ agenda, router, nodes });
  startFailures({ agenda, nodes, dispatcher, router, scenario, random: randomOf(seed + 2) });
  const calls = [];
  startConversations({ agenda, dispatcher, scenario, speed, calls, seed });
  agenda.runUntil(1_000 * warmUpSeconds);
  const busyBefore = [...nodes.values()].map(node => node.busyMs);
  const from = calls.length;
  agenda.runUntil(1_000 * (warmUpSeconds + seconds));
  const busy = [...nodes.values()].map((node, index) => node.busyMs - busyBefore[index]);
  return { ...figures(calls.slice(from)), ...loadOf(busy, 1_000 * seconds * slots), ...dispatcher.cost() };
}

/** Slots busy, as a share. */
function loadOf(busy, most) {
  const meanLoad = sum(busy) / busy.length / most;
  return { meanLoad, maxToMeanLoad: Math.max(...busy) / most / meanLoad };
}

function figures(calls) {
  const answered = calls.filter(({ firstMs }) => firstMs !== undefined);
  const first = answered.map(({ firstMs }) => firstMs).sort((one, other) => one - other);
  const ended = calls.filter(({ heldTokens }) => heldTokens !== undefined);
  const share = condition => calls.filter(condition).length / calls.length;
  return {
    calls: calls.length,
    firstMsP50: quantile(first, 0.5),
    firstMsP99: quantile(first, 0.99),
    heldTokens: sum(ended.map(({ heldTokens }) => heldTokens)),
    heldShare: sum(ended.map(({ heldTokens }) => heldTokens)) / sum(ended.map(call => call.promptTokens)),
    refusedShare: share(({ refused }) => refused),
    overloadShare: share(({ queued, refused }) => queued || refused),
    choiceShare: share(({ queued, waitedMs }) => waitedMs > 0 && !queued),
    cut: calls.filter(({ cut }) => cut).length,
    retried: calls.filter(({ failures }) => failures > 0).length,
  };
}

const sum = values => values.reduce((total, value) => total + value, 0);

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Conversations begin at random, and go on when their answer has come. A call without an answer ends its conversation. */
function startConversations({ agenda, dispatcher, scenario, speed, calls, seed }) {
  const workload = new Workload(scenario.agents, randomOf(seed + 3));
  const random = randomOf(seed + 4);
  const { slots } = scenario;
  const workMs =
    (1_000 * MEAN_PROMPT * BLOCK_TOKENS) / speed.bySlots[0].promptTokensPerSecond +
    (1_000 * MEAN_ANSWER * BLOCK_TOKENS) / (speed.bySlots[slots - 1].generationTokensPerSecond * slots);
  const betweenMs = (workMs * TURNS) / (scenario.load * scenario.nodes);
  const turn = prompt => {
    const call = { prompt, answer: workload.answer(), promptTokens: prompt.length * BLOCK_TOKENS };
    calls.push(call);
    dispatcher.dispatch(call, () => {
      const next = workload.goOn([...prompt, ...call.answer]);
      if (next) agenda.after(workload.thinkMs(), () => turn(next));
    });
  };
  const begin = () => {
    turn(workload.begin());
    agenda.after(exponential(random, betweenMs), begin);
  };
  agenda.after(exponential(random, betweenMs), begin);
}

/** Nodes break down and come back; the router learns of it at the next look at them, or by a call that fails. */
function startFailures({ agenda, nodes, dispatcher, router, scenario, random }) {
  const { failEverySeconds, downSeconds } = scenario;
  const tell = (name, up) =>
    agenda.after(random() * HEALTH_MS, () => {
      if (nodes.get(name).up !== up) return;
      router.setHealth(name, up);
      dispatcher.serve();
    });
  for (const [name, node] of nodes) {
    const comeBack = () => {
      node.comeBack();
      tell(name, true);
      agenda.after(exponential(random, 1_000 * failEverySeconds), fail);
    };
    const fail = () => {
      node.fail();
      tell(name, false);
      agenda.after(exponential(random, 1_000 * downSeconds), comeBack);
    };
    agenda.after(exponential(random, 1_000 * failEverySeconds), fail);
  }
}
