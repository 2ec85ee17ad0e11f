// `pnpm proof:soak`: mixed traffic with faults for some minutes, and then nothing may be left. See proof/README.md.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startChild } from '../../bench/child.mjs';
import { printTable } from '../../bench/report.mjs';
import { ensureBuilt, ensureInstalled } from '../../scripts/workspace.mjs';
import { positive, proof } from '../command.mjs';
import { startGateway } from './gateway.mjs';
import { atMost, booksRows, equal, expectedBill, MIN_SAMPLES, mb, memoryRows } from './judge.mjs';
import { planOf } from './plan.mjs';
import { paced } from './traffic.mjs';

const CODE = ['packages/airframe/src', 'packages/avionics/src', 'apps/gateway/src'];
const MINUTES = 5;
/** The library and the gateway are asked so many calls a second each. */
const PER_SECOND = 60;
/** Of a span, after which memory is looked at with nothing under way. */
const SPAN_SECONDS = 3;
/** The gateway's calls are numbered from here on, so that no number comes twice. */
const GATEWAY_FROM = 1_000_000_000;
/** Tries at a first call. */
const WARM_UPS = 10;
/** Longest wait for what has to come to rest by itself. */
const REST_MS = 15_000;

const file = name => fileURLToPath(new URL(name, import.meta.url));

/** Every fourth call goes to the pool of nodes, where its fate is one that puts no node out. */
const isLocal = ({ id, fate }) => id % 4 === 0 && (fate === 'whole' || fate === 'leave');
const isLocalId = id => isLocal(planOf(id));

const sumOf = (one, other) =>
  Object.fromEntries(Object.entries(one).map(([key, value]) => [key, value + other[key]]));

/** A call that is left after some pieces has to stream. */
const isStreamed = ({ fate }) => fate === 'leave';

const memoryOf = ({ bytes, rssBytes }) => ({ bytes, rssBytes });

const options = {
  minutes: { type: 'string', default: `${MINUTES}` },
  rate: { type: 'string', default: `${PER_SECOND}` },
};
await proof('proof-soak', CODE, options, main);

async function main(values) {
  const minutes = positive(values.minutes, 'minutes');
  const perSecond = positive(values.rate, 'rate');
  await ensureInstalled();
  await ensureBuilt();
  const stops = [];
  const started = part => {
    stops.unshift(part.stop);
    return part;
  };
  try {
    const upstream = started(await startChild(file('upstream.mjs')));
    const { url } = upstream.ready;
    const library = started(await startChild(file('library.mjs'), [url], ['--expose-gc']));
    const gateway = started(await startGateway(url));
    const seen = await soak({ library, gateway, minutes, perSecond });
    const rows = [...(await restRows({ upstream, library, gateway }, seen)), ...seen.memory];
    printRows(rows);
    for (const problem of seen.problems.slice(0, 20)) console.log(`  ${problem}`);
    const { calls, ended, samples } = seen;
    const asked = [
      ...(minutes === MINUTES ? [] : [`--minutes ${minutes}`]),
      ...(perSecond === PER_SECOND ? [] : [`--rate ${perSecond}`]),
    ];
    const command = ['pnpm proof:soak', ...asked].join(' ');
    const figures = { command, minutes, perSecond, calls, ended, rows, samples };
    return { held: rows.every(({ held }) => held), figures };
  } finally {
    // A child that is left would keep this process.
    for (const stop of stops) await stop();
  }
}

/** A first call is slow, on a busy machine slower than its deadline: it is made until it comes whole, and billed once. */
async function warmUp(library, gateway) {
  const one = from => ({ from, to: from + 1, perSecond: 1 });
  const call = plan => gateway.call(plan, 'cloud', true);
  for (const make of [() => library.ask(one(0)), () => paced(one(GATEWAY_FROM), call)]) {
    let tries = 0;
    while ((await make()).ended.whole === 0) {
      if (++tries === WARM_UPS)
        throw new Error(`no call came whole in ${WARM_UPS} tries, with nothing else under way`);
    }
  }
}

async function soak({ library, gateway, minutes, perSecond }) {
  await warmUp(library, gateway);
  const seen = { calls: 0, ended: { whole: 0, failed: 0, left: 0 }, problems: [], samples: [] };
  const startedAt = performance.now();
  const minute = () => (performance.now() - startedAt) / 60_000;
  const span = Math.max(1, Math.round(perSecond * SPAN_SECONDS));
  let made = 0;
  const idle = await gateway.inUse();
  while (minute() < minutes) {
    const of = from => ({ from, to: from + span, perSecond });
    const call = (plan, id) =>
      gateway.call(plan, isLocal(plan) ? 'local' : 'cloud', id % 2 === 0 || isStreamed(plan));
    const results = await Promise.all([library.ask(of(made)), paced(of(GATEWAY_FROM + made), call)]);
    made += span;
    for (const { ended, problems } of results) {
      for (const [ending, count] of Object.entries(ended)) seen.ended[ending] += count;
      seen.problems.push(...problems);
    }
    seen.calls += 2 * span;
    const [ofLibrary, ofGateway] = [await library.ask('rest'), await gateway.inUse()];
    seen.samples.push({ minute: minute(), library: memoryOf(ofLibrary), gateway: memoryOf(ofGateway) });
    report(seen, minute(), minutes);
  }
  const memory = ['library', 'gateway'].flatMap(who =>
    memoryRows(
      who,
      seen.samples.map(sample => ({ minute: sample.minute, ...sample[who] })),
    ),
  );
  if (memory.length === 0)
    console.log(`memory is judged from ${MIN_SAMPLES} samples behind the warm-up: run longer`);
  return { ...seen, made, idle, memory };
}

function report({ calls, ended, problems, samples }, minute, minutes) {
  const { library, gateway } = samples.at(-1);
  const memory = [library, gateway]
    .map(({ bytes, rssBytes }) => `${mb(bytes)}/${mb(rssBytes)}`)
    .join(' and ');
  const wrong = problems.length > 0 ? `, ${problems.length} WRONG` : '';
  process.stderr.write(
    `${minute.toFixed(1)} of ${minutes} min: ${calls} calls (${ended.whole} whole, ${ended.failed} failed, ${ended.left} left${wrong}), heap/RSS MB of library and gateway ${memory}\n`,
  );
}

/** What is in use when all is over. */
async function restRows({ upstream, library, gateway }, { made, idle, problems }) {
  // The first call of each was the warm-up as well, which asks no node.
  const ofLibrary = expectedBill([
    [0, 1],
    [0, made],
  ]);
  const ofGateway = sumOf(
    expectedBill([[GATEWAY_FROM, GATEWAY_FROM + 1]]),
    expectedBill([[GATEWAY_FROM, GATEWAY_FROM + made]], isLocalId),
  );
  gateway.closeClients();
  const lib = await settled(
    () => library.ask('rest'),
    ({ sockets }) => sockets === 0,
  );
  const told = await settled(gateway.rest, ({ inFlight, busySlots }) => inFlight + busySlots === 0);
  const limits = await settled(gateway.budgets, all => all.every(one => one.reserved === 0));
  const used = await settled(gateway.inUse, ({ sockets }) => sockets === 0);
  const up = await settled(
    () => upstream.ask('figures'),
    ({ sockets }) => sockets === 0,
  );
  return [
    equal('both', 'calls that ended in another way than they had to', problems.length, 0),
    ...booksRows('library', { expected: ofLibrary, limits: lib.limits, told: { tokens: lib.totalTokens } }),
    ...booksRows('gateway', { expected: ofGateway, limits, told: { tokens: told.prompt + told.completion } }),
    equal('library', 'calls under way', lib.inFlight, 0),
    equal('library', 'listeners on the signal that all calls share', lib.listeners, 0),
    equal('gateway', 'calls under way', told.inFlight, 0),
    equal('gateway', 'calls that wait for a slot', told.waiting, 0),
    equal('gateway', 'slots in use', told.busySlots, 0),
    equal('library', 'open sockets', lib.sockets, 0),
    equal('gateway', 'open sockets', used.sockets, 0),
    atMost('gateway', 'timers, beside those before the first call', used.timers - idle.timers, 0),
    equal('upstream', 'connections that are still open', up.sockets, 0),
    equal('gateway', 'exit code when it is told to end', await gateway.stop(), 0),
  ];
}

/** Asks until the answer is as wanted, or has had its time. */
async function settled(ask, isRest) {
  const until = performance.now() + REST_MS;
  for (;;) {
    const told = await ask();
    if (isRest(told) || performance.now() > until) return told;
    await sleep(250);
  }
}

function printRows(rows) {
  const cells = rows.map(({ who, what, seen, wanted, held, note }) => [
    `${held ? '✓' : '✗'} ${who}: ${what}`,
    seen,
    wanted,
    note ?? '',
  ]);
  printTable('at rest', ['', 'seen', 'promised', ''], cells);
}
