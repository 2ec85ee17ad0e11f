import { ratioOf } from './figures.mjs';

const OURS = 'core';
const SERVER = 'llama-server';
/** The model that is large enough for a token to take time. */
const LARGE = '59m';

/**
 * What is aimed at, as far as it was measured.
 * @returns `{ aim, value, atLeast }` or `{ aim, value, limit }` each
 */
export function aimsOf({ rows }) {
  return rows
    .filter(({ row }) => row === OURS)
    .flatMap(result => {
      const { model, threads, cell } = result;
      const where = `${cell}, ${model}, threads ${threads}`;
      const server = rows.find(
        one => one.row === SERVER && one.model === model && one.threads === threads && one.cell === cell,
      );
      const ratio = ratioOf(result, server);
      const aims =
        ratio === undefined ? [] : [{ aim: `${OURS} ÷ ${SERVER}: ${where}`, value: ratio, atLeast: 0.9 }];
      if (model !== LARGE || cell !== 'generation ×1' || result.addedLatency === undefined) return aims;
      return [
        ...aims,
        {
          aim: `${OURS}, added latency per token in %: ${where}`,
          value: 100 * result.addedLatency,
          limit: 5,
        },
      ];
    });
}
