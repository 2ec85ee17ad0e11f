import type { InferenceRequest } from '@x/airframe';
import type { CostEstimate } from '../cost/estimate.ts';
import { toNanoUsd } from '../cost/money.ts';
import type { Limiter, Reservation } from '../limits/limiter.ts';
import { defined } from '../providers/options.ts';
import type { Destination } from './context.ts';

/** Who makes a call, as far as limits go by it. */
export interface Payer {
  agentName: string;
  key: string | undefined;
  tags: readonly string[] | undefined;
}

/**
 * Takes what a call may use from all limits that are for it.
 * @throws AirframeError (rate_limit, quota) when a limit is used up
 */
export function reserve(
  limiter: Pick<Limiter, 'reserve'>,
  { agentName, key, tags }: Payer,
  { promptTokens, completionTokens, costUsd, priced }: CostEstimate,
): Promise<Reservation> {
  return limiter.reserve({
    agent: agentName,
    keys: key === undefined ? [] : [key],
    tags,
    tokens: promptTokens + completionTokens,
    // A price that nobody knows is not none: a budget used up keeps such a call back as well.
    nanoUsd: priced ? toNanoUsd(costUsd, 'up') : 1,
  });
}

/** By the first provider that can be made; where none can, nothing will be used. */
export function estimateOf(destinations: readonly Destination[], request: InferenceRequest): CostEstimate {
  for (const { provider: find, model, defaults } of destinations) {
    try {
      const provider = find();
      return provider.estimateOf(provider.prepare({ ...defaults, ...request, ...defined({ model }) }));
    } catch {
      // Told when the call itself comes to it.
    }
  }
  return { promptTokens: 0, completionTokens: 0, costUsd: 0, priced: true };
}
