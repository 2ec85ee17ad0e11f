// One row in a process of its own: `measure.mjs ROW BASE_URL KIND`. Each message asks for one round.
import { answerParent } from '../child.mjs';
import { functionOf, importAll, ROWS } from './rows.mjs';

const [name, baseUrl, kind] = process.argv.slice(2);
const row = ROWS.find(row => row.name === name);
const make = await functionOf(row);
const call = make(baseUrl, await importAll(row.imports), kind);

/** Makes `calls` calls one after the other on each of `streams` lines, and adds up what they received. */
async function pass({ streams, calls }) {
  const received = { events: 0, chars: 0 };
  const line = async () => {
    for (let n = 0; n < calls; n++) {
      const { events, chars } = await call();
      received.events += events;
      received.chars += chars;
    }
  };
  await Promise.all(Array.from({ length: streams }, line));
  return received;
}

/** Passes until they have taken so much CPU time: at least one. */
async function passesFor(scenario, leastMs) {
  const passes = [];
  const before = process.cpuUsage();
  for (;;) {
    passes.push(await pass(scenario));
    const { user, system } = process.cpuUsage(before);
    const micros = user + system;
    if (micros >= leastMs * 1000) return { passes, micros };
  }
}

answerParent({}, async ({ scenario, againMs, leastMs }) => {
  // While other rows had their turn, connections have timed out, caches are theirs, and V8 has let go of what it knew of
  // objects that were gone: a row has to be at work again before it is measured.
  const again = await passesFor(scenario, againMs);
  const { passes, micros } = await passesFor(scenario, leastMs);
  return {
    passes: [...again.passes, ...passes],
    cpuMicros: micros / passes.length,
    peakRssMb: process.resourceUsage().maxRSS / 1024,
  };
});
