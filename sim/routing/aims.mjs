/** Added to a share of calls before a ratio is made of it: one call in a hundred is no overload. */
const FEW = 0.01;

/**
 * Most that ours may have of what another strategy has, in every scenario. `p50` and `p99`: of TTFT. `evaluated`: share of
 * prompt tokens that were not found in a cache. `overload`: calls that were queued, for no node had room, or refused.
 * `refused`: those alone.
 */
const LIMITS = {
  round_robin: { p50: 0.25, p99: 0.75, evaluated: 0.4, overload: 1 },
  least_busy: { p50: 0.25, p99: 1, evaluated: 0.4, overload: 1 },
  affinity: { p50: 1.5, p99: 0.75, evaluated: 1.5, refused: 1 },
};

const MEASURES = {
  p50: ({ firstMsP50 }) => firstMsP50,
  p99: ({ firstMsP99 }) => firstMsP99,
  evaluated: ({ heldShare }) => 1 - heldShare,
  overload: ({ overloadShare }) => overloadShare + FEW,
  refused: ({ refusedShare }) => refusedShare + FEW,
};

const NAMES = {
  p50: 'TTFT p50',
  p99: 'TTFT p99',
  evaluated: 'evaluated share of prompts',
  overload: 'queued or refused',
  refused: 'refused',
};

/**
 * What is aimed at with `balanced`.
 * @param rows of some scenarios, each with all strategies
 */
export function aimsOf(rows) {
  return rows
    .filter(({ strategy }) => strategy === 'balanced')
    .flatMap(ours =>
      Object.entries(LIMITS).flatMap(([strategy, limits]) => {
        const theirs = rows.find(
          row => row.strategy === strategy && row.scenario.name === ours.scenario.name,
        );
        return Object.entries(limits).map(([what, limit]) => ({
          aim: `${ours.scenario.name}: ${NAMES[what]} ÷ ${strategy}`,
          value: MEASURES[what](ours) / MEASURES[what](theirs),
          limit,
        }));
      }),
    );
}
