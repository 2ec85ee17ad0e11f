// One strategy on two fresh servers.
import { KV_BYTES_PER_TOKEN } from '../../scripts/make-random-gguf.mjs';
import { AGENTS, runAgents, TURNS } from './agents.mjs';
import { startServer } from './server.mjs';

export const NODES = 2;
export const SLOTS = 2;
export const CONTEXT_TOKENS = 2_048;

const LONGEST_PROMPT_TOKENS = 1_400;
const SMALL_CACHE_MIB = 32;

/**
 * What agents share and what servers keep. `cacheTokens` is what the pool is told of it, slots included.
 * `scarce`: as it is with long histories. llama-server's default of 8 GiB beside the slots holds 3.3 histories of 20,000
 * tokens of a model of 8 billion parameters (128 KiB a token); here 32 MiB hold 3.3 histories of this size and model. With
 * its slots a server holds five histories: more than its share of eight groups, and less than all.
 * `ample`: that default, and four groups: each server has room for everything.
 */
export const SCENARIOS = {
  scarce: {
    groups: 8,
    cacheRamMiB: SMALL_CACHE_MIB,
    cacheTokens: SLOTS * LONGEST_PROMPT_TOKENS + (SMALL_CACHE_MIB * 2 ** 20) / KV_BYTES_PER_TOKEN,
  },
  ample: { groups: 4 },
};

/** @returns the servers, and the profiles under which a pool knows them */
export async function startNodes({ cacheRamMiB, cacheTokens }) {
  const settings = { slots: SLOTS, contextTokens: CONTEXT_TOKENS, cacheRamMiB };
  const servers = await Promise.all(Array.from({ length: NODES }, () => startServer(settings)));
  const profiles = servers.map(({ url: baseUrl }, index) => ({
    name: `node-${index + 1}`,
    baseUrl,
    ...(cacheTokens === undefined ? {} : { cacheTokens }),
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

const sum = values => values.reduce((total, value) => total + value, 0);
