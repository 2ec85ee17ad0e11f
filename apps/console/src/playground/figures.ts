import type { ModelEntry } from '../contract.ts';
import { type Answer, isRunning } from './answer.ts';

/** What an answer has taken so far. */
export interface Figures {
  /** Milliseconds until the first piece; while there is none, the wait so far. */
  firstTokenMs: number;
  totalMs: number;
  promptTokens?: number;
  completionTokens: number;
  /** Between the first and the last token; absent: there are not two yet. */
  tokensPerSecond?: number;
  /** US dollars; absent: the price is not known. */
  costUsd?: number;
  /** Tokens and cost are counted here, for the gateway has not said yet. */
  estimated: boolean;
}

const CHARACTERS_PER_TOKEN = 4;

/**
 * @param now of `performance.now`
 * @param price US dollars per 1,000 tokens
 * @param promptCharacters of all that was sent
 */
export function figuresOf(
  answer: Answer,
  now: number,
  price: ModelEntry['price'],
  promptCharacters: number,
): Figures {
  const { usage, startedAt, firstAt, lastAt, pieces } = answer;
  const end = answer.endedAt ?? now;
  const promptTokens = usage?.prompt_tokens ?? Math.ceil(promptCharacters / CHARACTERS_PER_TOKEN);
  const completionTokens = usage?.completion_tokens ?? pieces;
  const streamMs = (lastAt ?? 0) - (firstAt ?? 0);
  const estimate =
    price && (pieces > 0 || isRunning(answer))
      ? (price.prompt * promptTokens + price.completion * completionTokens) / 1000
      : undefined;
  const costUsd = usage?.cost ?? estimate;
  return {
    firstTokenMs: (firstAt ?? end) - startedAt,
    totalMs: end - startedAt,
    promptTokens,
    completionTokens,
    ...(streamMs > 0 && completionTokens > 1
      ? { tokensPerSecond: ((completionTokens - 1) * 1000) / streamMs }
      : {}),
    ...(costUsd === undefined ? {} : { costUsd }),
    estimated: usage?.completion_tokens === undefined,
  };
}
