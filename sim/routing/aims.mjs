/** Added to a share of calls before a ratio is made of it: one call in a hundred is no overload. */
const FEW = 0.01;

/** A strategy that keeps calls together may let so many more of them wait than the one that only looks at load. */
const OVERLOAD_FACTOR = 1.25;

/**
 * What is aimed at with `balanced`, in every scenario.
 * @param rows of some scenarios, each with all strategies but `affinity`
 */
export function aimsOf(rows) {
  return rows
    .filter(({ strategy }) => strategy === 'balanced')
    .flatMap(ours => {
      const other = name =>
        rows.find(({ scenario, strategy }) => strategy === name && scenario.name === ours.scenario.name);
      const [inTurn, leastBusy] = [other('round_robin'), other('least_busy')];
      const aim = (what, value, limit) => ({ aim: `${ours.scenario.name}: ${what}`, value, limit });
      return [
        aim('TTFT p50 ÷ round-robin', ours.firstMsP50 / inTurn.firstMsP50, 0.5),
        aim('TTFT p99 ÷ round-robin', ours.firstMsP99 / inTurn.firstMsP99, 1),
        aim('evaluated share of prompts ÷ round-robin', (1 - ours.heldShare) / (1 - inTurn.heldShare), 0.5),
        aim(
          'queued or refused ÷ least-busy',
          (ours.overloadShare + FEW) / (leastBusy.overloadShare + FEW),
          OVERLOAD_FACTOR,
        ),
      ];
    });
}
