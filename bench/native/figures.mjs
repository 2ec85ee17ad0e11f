// From what calls saw to what is told.
import { median } from '../report.mjs';

/**
 * What calls made at once did, by the consumer's clock and, of a call by itself, by the engine's own.
 * @param calls `{ startedAt, firstAt, lastAt, promptTokens, cachedTokens, completionTokens, promptMs, generationMs }`
 * each; times in milliseconds, `firstAt` and `lastAt` those of its first and last token
 * @returns `{ tokens, ms, engineTokens, engineMs }`. Of a prompt: tokens evaluated, until the last call had its first
 * token. Of a generation: tokens that came after the very first, until the very last.
 */
export function passOf(kind, calls) {
  const [call] = calls;
  const own = calls.length === 1;
  if (kind === 'prompt') {
    const tokens = sum(calls.map(({ promptTokens, cachedTokens }) => promptTokens - cachedTokens));
    const ms = Math.max(...pick(calls, 'firstAt')) - Math.min(...pick(calls, 'startedAt'));
    return { tokens, ms, ...(own && { engineTokens: tokens, engineMs: call.promptMs }) };
  }
  const tokens = sum(pick(calls, 'completionTokens')) - 1;
  const ms = Math.max(...pick(calls, 'lastAt')) - Math.min(...pick(calls, 'firstAt'));
  return { tokens, ms, ...(own && { engineTokens: tokens, engineMs: call.generationMs }) };
}

/** Passes in one: tokens a second by each clock, undefined where the engine's says nothing. */
export function rateOf(passes) {
  const [tokens, ms, engineTokens, engineMs] = ['tokens', 'ms', 'engineTokens', 'engineMs'].map(key =>
    sum(pick(passes, key)),
  );
  const perSecond = (count, time) => (count > 0 && time > 0 ? (count / time) * 1_000 : undefined);
  return { perSecond: perSecond(tokens, ms), enginePerSecond: perSecond(engineTokens, engineMs) };
}

/** A result with the medians of its rounds. `addedLatency`: by how much the consumer's time for a token exceeds the engine's. */
export function summaryOf(result) {
  if (result.failure !== undefined || result.rounds.length === 0) return result;
  const perSecond = median(pick(result.rounds, 'perSecond'));
  const own = result.rounds.filter(({ enginePerSecond }) => enginePerSecond !== undefined);
  if (own.length === 0) return { ...result, perSecond };
  const enginePerSecond = median(pick(own, 'enginePerSecond'));
  const addedLatency = median(own.map(round => round.enginePerSecond / round.perSecond - 1));
  return { ...result, perSecond, enginePerSecond, addedLatency };
}

/** How much faster one row is than another: the median over the rounds, each compared within itself. */
export function ratioOf(result, other) {
  const lacks = one => !one || one.failure !== undefined || one.rounds.length === 0;
  if (lacks(result) || lacks(other)) return undefined;
  return median(result.rounds.map(({ perSecond }, round) => perSecond / other.rounds[round].perSecond));
}

const pick = (values, key) => values.map(value => value[key]);
const sum = values => values.reduce((total, value) => total + value, 0);
