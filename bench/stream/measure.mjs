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

answerParent({}, async ({ scenario, leastMs }) => {
  // The first pass opens the connections, and finds the caches as the rows before left them: it does not count.
  const passes = [await pass(scenario)];
  const before = process.cpuUsage();
  let micros = 0;
  do {
    passes.push(await pass(scenario));
    const { user, system } = process.cpuUsage(before);
    micros = user + system;
  } while (micros < leastMs * 1000);
  return {
    passes,
    cpuMicros: micros / (passes.length - 1),
    peakRssMb: process.resourceUsage().maxRSS / 1024,
  };
});
