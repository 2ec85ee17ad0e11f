/**
 * What is aimed at.
 * @param results `rows` of the scenarios and `failure`, as far as they were measured
 * @param names of the scenario that counts, and of our strategy
 */
export function aimsOf({ rows, failure }, { main, ours }) {
  const row = name => rows.find(({ scenario, strategy }) => scenario === main && strategy === name);
  const [inTurn, own] = [row('round_robin'), row(ours)];
  const compared = inTurn && own;
  return [
    ...(compared
      ? [
          {
            aim: 'prompt tokens evaluated ÷ round-robin',
            value: own.evaluatedTokens / inTurn.evaluatedTokens,
            limit: 0.5,
          },
          { aim: 'median TTFT ÷ round-robin', value: own.firstMsP50 / inTurn.firstMsP50, limit: 0.5 },
          { aim: 'calls that failed', value: own.failures.length, limit: 0 },
        ]
      : []),
    ...(failure
      ? [
          { aim: 'failure: calls lost that had not begun to stream', value: failure.lost, limit: 0 },
          {
            aim: 'failure: nodes not used again after their return',
            value: failure.callsAfterReturn > 0 ? 0 : 1,
            limit: 0,
          },
        ]
      : []),
  ];
}
