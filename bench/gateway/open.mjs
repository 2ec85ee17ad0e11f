import { setTimeout as sleep } from 'node:timers/promises';
import { firstLineOf } from './rounds.mjs';
import { OPEN } from './scenarios.mjs';

/**
 * What many open streams weigh: all opened through a row, each with an event every two seconds, and looked at for `openMs`.
 * Of a process that has been at work before.
 * @returns `{ row, rssMb, beforeMb, cpuShare }` — the most seen while they were open, MiB; what the process had before;
 * and the share of a core that it used — or the `failure`
 */
export async function measureOpen({ name: row, origin, headers, usage }, load, { openMs }) {
  process.stderr.write(`${OPEN.streams} ${OPEN.name}, ${row} …\n`);
  const before = await usage();
  try {
    await load.ask({ task: 'opened', ...OPEN, origin, headers });
    const [first, firstAt] = [await usage(), performance.now()];
    const counted = await load.ask({ task: 'counted' });
    let { rssMb } = first;
    let last = first;
    const endsAt = firstAt + openMs;
    while (performance.now() < endsAt) {
      await sleep(250);
      last = await usage();
      rssMb = Math.max(rssMb, last.rssMb);
    }
    const cpuShare = (last.cpuMicros - first.cpuMicros) / 1_000 / (performance.now() - firstAt);
    check(counted, await load.ask({ task: 'counted' }), openMs);
    return { row, rssMb, beforeMb: before.rssMb, cpuShare };
  } catch (error) {
    return { row, failure: firstLineOf(error) };
  } finally {
    await load.ask({ task: 'closed' });
  }
}

/** @throws Error when a stream has ended, or has fallen behind by more than one event */
function check(before, { living, fewest }, openMs) {
  if (living < OPEN.streams)
    throw new Error(`${OPEN.streams - living} of ${OPEN.streams} streams have ended`);
  const due = before.fewest + Math.floor(openMs / OPEN.everyMs) - 1;
  if (fewest < due) throw new Error(`a stream has received ${fewest} events; ${due} were due`);
}
