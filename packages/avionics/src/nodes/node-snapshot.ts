import type { NodeState } from './node-state.ts';
import type { NodeOut, NodeSnapshot } from './route.ts';

/** What a router can tell of a node. */
export function snapshotOf(node: NodeState, now: number): Omit<NodeSnapshot, 'baseUrl'> {
  const state = node.state(now);
  const { value: affinityRate } = node.affinityRate;
  const { value: firstOutputMs } = node.firstOutputMs;
  const { value: latencyMs } = node.latencyMs;
  return {
    name: node.spec.name,
    state,
    ...(state === 'out' ? { out: outOf(node, now) } : {}),
    slots: node.slots,
    busySlots: node.load,
    inFlight: node.inFlight,
    heldBlocks: node.cache.size,
    ...(affinityRate === undefined ? {} : { affinityRate }),
    errorRate: node.errorRate.value ?? 0,
    ...(firstOutputMs === undefined ? {} : { firstOutputMs }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
  };
}

function outOf({ healthy, ejection }: NodeState, now: number): NodeOut {
  return healthy ? { because: 'ejected', forMs: ejection.until - now } : { because: 'unhealthy' };
}
