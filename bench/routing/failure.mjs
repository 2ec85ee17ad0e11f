// A node is killed in mid-load, comes back at the same address, and is used again.
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../llama-server.mjs';
import { runAgents } from './agents.mjs';
import { providerOf, SCENARIOS, startNodes } from './compare.mjs';

/** Load before the end of the node, with it gone, and after its return; milliseconds. */
const BEFORE_MS = 15_000;
const DOWN_MS = 8_000;
const AFTER_MS = 25_000;
/** Longest wait for a moment in which the node has a call that has not begun to stream. */
const MOMENT_MS = 20_000;

/** @returns how many calls ended how, and how many the node got after its return */
export async function measureFailure(nodes, { strategy, seed }) {
  const scenario = SCENARIOS.shared;
  const { servers, profiles, settings } = await startNodes(scenario);
  const provider = providerOf(nodes, profiles, strategy);
  const victim = profiles[1].name;
  const records = [];
  let ends = false;
  const load = runAgents(provider, {
    groups: scenario.groups,
    seed,
    goesOn: () => !ends,
    onCall: record => records.push(record),
  });
  try {
    await sleep(BEFORE_MS);
    const open = await momentWithSilentCall(records, victim);
    await servers[1].kill();
    await sleep(DOWN_MS);
    servers[1] = await startServer({ ...settings, port: servers[1].port });
    const backAt = performance.now();
    await sleep(AFTER_MS);
    ends = true;
    await load;
    return { victim, ...open, ...countsOf(records, victim, backAt) };
  } finally {
    ends = true;
    await provider.close();
    await Promise.all(servers.map(server => server.stop()));
  }
}

const isOpen = ({ totalMs }) => totalMs === undefined;

/** @returns calls that are at the node in a moment when at least one of them has not begun to stream */
async function momentWithSilentCall(records, victim) {
  const endsAt = performance.now() + MOMENT_MS;
  for (;;) {
    const there = records.filter(record => isOpen(record) && record.routes.at(-1)?.node === victim);
    const silent = there.filter(({ firstMs }) => firstMs === undefined).length;
    if (silent > 0) return { silentAtTheEnd: silent, streamingAtTheEnd: there.length - silent };
    if (performance.now() > endsAt) {
      throw new Error(`${victim} had no call before its first output within ${MOMENT_MS} ms; is there load?`);
    }
    await sleep(5);
  }
}

function countsOf(records, victim, backAt) {
  const failed = records.filter(({ failure }) => failure !== undefined);
  const again = records.flatMap(({ routes }) =>
    routes.filter(({ at, node }) => node === victim && at > backAt),
  );
  return {
    calls: records.length,
    triedAgain: records.filter(({ routes }) => routes.length > 1).length,
    /** Failed without having put out anything. */
    lost: failed.filter(({ firstMs }) => firstMs === undefined).length,
    /** Broken off in mid-stream. */
    cut: failed.filter(({ firstMs }) => firstMs !== undefined).length,
    failures: [...new Set(failed.map(({ failure }) => failure))],
    callsAfterReturn: again.length,
    usedAgainAfterMs: again.length > 0 ? Math.min(...again.map(({ at }) => at)) - backAt : undefined,
  };
}
