// One strategy on two fresh servers.
import { KV_BYTES_PER_TOKEN } from '../../scripts/make-random-gguf.mjs';
import { startServer } from '../llama-server.mjs';
import { AGENTS, ANSWER_TOKENS, QUESTION_TOKENS, runAgents, SHARED_TOKENS, TURNS } from './agents.mjs';

export const NODES = 2;
export const SLOTS = 2;
export const CONTEXT_TOKENS = 2_048;

/** Tokens. */
const LONGEST_HISTORY = SHARED_TOKENS + TURNS * (QUESTION_TOKENS + ANSWER_TOKENS);
const ramMiBFor = histories => Math.ceil((histories * LONGEST_HISTORY * KV_BYTES_PER_TOKEN) / 2 ** 20);

/**
 * What agents share and what servers keep beside their two slots, whole histories each; the pool is told nothing of it.
 * `shared`: five, so the two servers have room for nearly all of the 16 agents' histories together, and one of them for
 * less than half. `scarce`: three, too few for any routing to hold them all. `ample`: llama-server's default of 8 GiB, and
 * only four groups: everything fits everywhere, and there is little to gain.
 */
export const SCENARIOS = {
  shared: { groups: 8, cacheRamMiB: ramMiBFor(5) },
  scarce: { groups: 8, cacheRamMiB: ramMiBFor(3) },
  ample: { groups: 4 },
};

/** @returns the servers, and the profiles under which a pool knows them */
export async function startNodes({ cacheRamMiB }) {
  const settings = { slots: SLOTS, contextTokens: CONTEXT_TOKENS, cacheRamMiB };
  const servers = await Promise.all(Array.from({ length: NODES }, () => startServer(settings)));
  const profiles = servers.map(({ url: baseUrl }, index) => ({
    name: `node-${index + 1}`,
    baseUrl,
  }));
  return { servers, profiles, settings };
}

/** @returns a provider that owns its pool */
export function providerOf({ NodePool, NodePoolProvider }, profiles, strategy) {
  return new NodePoolProvider(new NodePool(profiles, { strategy }), { ownsPool: true });
}

/** @returns tokens of prompts the servers evaluated by their own count, times to the first output, and what failed */
export async function measureStrategy(nodes, { strategy, scenario, seed }) {
  const { servers, profiles } = await startNodes(SCENARIOS[scenario]);
  const provider = providerOf(nodes, profiles, strategy);
  try {
    const before = await evaluated(servers);
    const startedAt = performance.now();
    const records = await runAgents(provider, {
      groups: SCENARIOS[scenario].groups,
      seed,
      goesOn: turn => turn < TURNS,
    });
    const totalMs = performance.now() - startedAt;
    const done = records.filter(({ failure }) => failure === undefined);
    return {
      calls: records.length,
      failures: records.flatMap(({ failure }) => failure ?? []),
      evaluatedTokens: (await evaluated(servers)) - before,
      promptTokens: sum(done.map(({ usage }) => usage.promptTokens)),
      cachedTokens: sum(done.map(({ usage }) => usage.cachedTokens)),
      firstMs: done.map(({ firstMs }) => firstMs),
      waitedMs: records.map(({ routes }) => routes.at(-1)?.waitedMs ?? 0),
      callsByNode: profiles.map(
        ({ name }) => records.filter(({ routes }) => routes.at(-1)?.node === name).length,
      ),
      totalMs,
      whys: countOf(records.flatMap(({ routes }) => routes.map(({ why }) => why))),
    };
  } finally {
    await provider.close();
    await Promise.all(servers.map(server => server.stop()));
  }
}

export const CALLS = AGENTS * TURNS;

async function evaluated(servers) {
  return sum(await Promise.all(servers.map(server => server.promptTokens())));
}

function countOf(names) {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

const sum = values => values.reduce((total, value) => total + value, 0);
