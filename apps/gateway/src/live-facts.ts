import type { LimitUsage } from '@x/avionics';
import type { Circuit, NodeCard } from '@x/console/contract';
import { defined } from './defined.ts';
import { limitRules } from './runtime/limit-rules.ts';
import type { Runtime } from './runtime/runtime.ts';

/** The circuits of all providers; one that was never called is closed. */
export function circuitsOf({ gateway, providers }: Runtime): Circuit[] {
  const stats = gateway.getStats().providers;
  return [...providers].map(([provider, { type }]) => ({
    provider,
    type,
    state: stats[provider]?.circuit ?? 'closed',
  }));
}

/** The nodes of all providers that have some. */
export function nodesOf({ providers }: Runtime): NodeCard[] {
  return [...providers].flatMap(([provider, { pool }]) =>
    (pool?.snapshot().nodes ?? []).map(node => {
      const { name, state, slots, busySlots, inFlight, heldBlocks, errorRate } = node;
      const { affinityRate: affinity, firstOutputMs, latencyMs } = node;
      return {
        ...{ provider, name, state, slots, busySlots, inFlight, heldBlocks, errorRate },
        ...defined({ affinity, firstOutputMs, latencyMs }),
      };
    }),
  );
}

/** Calls that wait for a slot of a node. */
export function waitingIn({ providers }: Runtime): number {
  return [...providers.values()].reduce((sum, { pool }) => sum + (pool?.snapshot().waiting ?? 0), 0);
}

/**
 * How far those limits are used that are for one subject, as all calls or one key are.
 * @throws AirframeError (overloaded) when their store is away and limits fail closed
 */
export async function fixedLimitsOf({ limiter, config }: Runtime): Promise<LimitUsage[]> {
  const fixed = limitRules(config).filter(({ scope, match }) => scope === 'all' || match !== undefined);
  const names = new Set(fixed.map(({ name }) => name));
  return (await limiter.usage()).filter(({ rule }) => names.has(rule));
}
