// One strategy on two fresh servers.
import { AGENTS, runAgents, TURNS } from './agents.mjs';
import { startServer } from './server.mjs';

export const NODES = 2;
export const SLOTS = 2;
export const CONTEXT_TOKENS = 2_048;

/**
 * What the servers keep of prompts. `cacheTokens` is what the pool is told of it.
 * In `slots` the two servers together can hold all that the groups share, and one cannot: as it is when histories are
 * long and memory is not. In `host` each has llama-server's default of 8 GiB beside its slots: room for everything here.
 */
export const CACHES = {
  slots: { cacheRamMiB: 0, cacheTokens: SLOTS * 1_300 },
  host: {},
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
export async function measureStrategy(nodes, { strategy, cache, seed }) {
  const { servers, profiles } = await startNodes(CACHES[cache]);
  const provider = providerOf(nodes, profiles, strategy);
  try {
    const before = await evaluated(servers);
    const startedAt = performance.now();
    const records = await runAgents(provider, { seed, goesOn: turn => turn < TURNS });
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
