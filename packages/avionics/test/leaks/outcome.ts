import { isAirframeError } from '@x/airframe';
import { type GatewayStats, type LLMResponse, toNanoUsd } from '../../src/index.ts';
import { type Bill, type Books, billOf, type Plan, piecesOf, sharesOf } from './plan.ts';

/** How a stream comes to its end for its consumer. */
export type Ending = 'answer' | 'connection' | 'overloaded' | 'left' | 'aborted';

/** What a consumer has seen of a stream. */
export interface Outcome {
  /** Behind the last restart. */
  text: string;
  pieces: number;
  response: LLMResponse | undefined;
  error: unknown;
}

export function endingOf({ fate, midStream }: Plan): Ending {
  if (fate === 'down') return 'overloaded';
  if (fate === 'leave') return 'left';
  if (fate === 'abort') return 'aborted';
  return fate === 'reset' && midStream === 'fail' ? 'connection' : 'answer';
}

/** @returns what is not as planned */
export function problemOf(plan: Plan, { text, response, error }: Outcome): string | undefined {
  const { id, fate, cut = 0, pieces } = plan;
  const planned = endingOf(plan);
  const ending = isAirframeError(error) ? error.category : response ? 'answer' : 'left';
  if (ending !== planned) return `${id} (${fate}) ended as ${ending}: ${String(error)}`;
  const whole = piecesOf(id, 0, ending === 'answer' ? pieces : cut).join('');
  if (text !== whole) return `${id} (${fate}) has the text ${text} instead of ${whole}`;
  if (!response) return undefined;
  if (response.text !== whole) return `${id} answers with the text ${response.text}`;
  const bill = JSON.stringify(billOf(sharesOf(plan)));
  const billed = JSON.stringify(billIn({ ...response.metadata.billed, costUsd: response.costUsd }));
  return billed === bill ? undefined : `${id} (${fate}) is billed ${billed} instead of ${bill}`;
}

type Counted = Omit<Bill, 'nanoUsd'> & { costUsd: number };

function billIn({ promptTokens, completionTokens, costUsd }: Counted): Bill {
  return { promptTokens, completionTokens, nanoUsd: toNanoUsd(costUsd) };
}

export function booksIn(stats: GatewayStats): Books {
  const bills = (all: Record<string, Counted>) =>
    Object.fromEntries(Object.entries(all).map(([name, one]) => [name, billIn(one)]));
  return { total: billIn(stats), providers: bills(stats.providers), agents: bills(stats.agents) };
}
