import type { Circuit, NodeCard } from '@x/console/contract';
import { defined } from './defined.ts';
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
