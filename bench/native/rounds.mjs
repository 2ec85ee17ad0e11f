import { startServer } from '../llama-server.mjs';
import { CELLS, CONTEXT_TOKENS, SLOTS } from './cells.mjs';
import { summaryOf } from './figures.mjs';

/**
 * A measurement repeats a pass until the passes have taken `leastMs`. No round begins after `groupMs`, but one does in any
 * case: what takes two minutes on idle cores may take an hour on busy ones.
 */
export const THOROUGH = { rounds: 5, leastMs: 600, warmUpMs: 300, groupMs: 150_000 };
export const QUICK = { rounds: 2, leastMs: 200, warmUpMs: 100, groupMs: 60_000 };

/**
 * Measures rows on one model with so many threads. In each cell of each round they take turns (A B C A B C …), so that
 * slow times of the machine meet all alike.
 * @param group `{ label, model, threads }`, `model` being a path
 * @returns per row and cell the rates of the rounds, and their medians; or `absent`; or the `failure`
 */
export async function measureGroup(rows, { label, model, threads }, { rounds, leastMs, warmUpMs, groupMs }) {
  const group = { model, threads };
  const server = rows.some(({ needsServer }) => needsServer)
    ? await startServer({ ...group, slots: SLOTS, contextTokens: CONTEXT_TOKENS })
    : undefined;
  const started = [];
  const results = [];
  try {
    process.stderr.write(`${label}: starting`);
    for (const row of rows) {
      const running = await row.start({ ...group, name: row.name, url: server?.url });
      started.push(running);
      results.push(
        ...CELLS.filter(cell => row.cells?.(cell) ?? true).map(cell => ({
          running,
          cell,
          row: row.name,
          rounds: [],
        })),
      );
      process.stderr.write('.');
    }
    await inTurn(results, 'warming up', warmUpMs);
    for (const result of results) result.rounds = [];
    const endsAt = performance.now() + groupMs;
    for (let round = 0; round < rounds && (round === 0 || performance.now() < endsAt); round++) {
      await inTurn(results, `round ${round + 1} of ${rounds}`, leastMs);
    }
  } finally {
    process.stderr.write('\n');
    await Promise.all(started.map(running => running.stop?.()));
    await server?.stop();
  }
  return results.map(({ running, cell, ...result }) =>
    summaryOf({ threads, cell: cell.name, ...result, ...(running.absent && { absent: true }) }),
  );
}

async function inTurn(results, what, leastMs) {
  process.stderr.write(`, ${what}`);
  for (const cell of CELLS) {
    for (const result of results.filter(one => one.cell === cell)) {
      if (result.running.absent || result.failure !== undefined) continue;
      try {
        result.rounds.push(await result.running.measure({ ...cell, leastMs }));
      } catch (error) {
        result.failure = error.message.split('\n')[0];
      }
      process.stderr.write('.');
    }
  }
}
