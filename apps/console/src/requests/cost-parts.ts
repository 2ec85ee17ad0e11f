import type { ModelEntry, RequestRecord } from '../contract.ts';
import { usd } from '../format.ts';

export interface CostPart {
  label: string;
  tokens: number;
  /** Per million tokens, as it is listed; '' where it is not known. */
  price: string;
  /** US dollars; absent: not told apart. */
  cost?: number;
  /** Of the part before. */
  isPart?: boolean;
}

/**
 * What the tokens of a call cost. The prompt's part is what the answer leaves of the whole, so that it has the rebate
 * for cached tokens; with several tries nothing is told apart, for they share the whole.
 */
export function costParts(
  record: RequestRecord,
  usage: NonNullable<RequestRecord['usage']>,
  models: readonly ModelEntry[],
): CostPart[] {
  const { promptTokens, completionTokens, cachedTokens, reasoningTokens } = usage;
  const entry = models.find(({ id }) => id === record.model);
  // The price is the first target's: it says nothing of an answer of another one.
  const price = entry?.targets[0]?.provider === record.provider ? entry?.price : undefined;
  const answer =
    price && record.attempts.length === 1 ? (completionTokens * price.completion) / 1000 : undefined;
  const prompt = answer === undefined || record.costUsd === undefined ? undefined : record.costUsd - answer;
  const isApart = prompt !== undefined && prompt >= 0;
  return [
    {
      label: 'Prompt',
      tokens: promptTokens,
      price: listed(price?.prompt),
      ...(isApart ? { cost: prompt } : {}),
    },
    ...part('of it cached', cachedTokens),
    {
      ...{ label: 'Answer', tokens: completionTokens, price: listed(price?.completion) },
      ...(isApart && answer !== undefined ? { cost: answer } : {}),
    },
    ...part('of it thinking', reasoningTokens),
  ];
}

function part(label: string, tokens: number | undefined): CostPart[] {
  return tokens === undefined ? [] : [{ label, tokens, price: '', isPart: true }];
}

function listed(perThousand: number | undefined): string {
  if (perThousand === undefined) return '';
  return perThousand === 0 ? 'free' : `${usd(perThousand * 1000)} / 1M`;
}
