import type { NodeState } from './node-state.ts';
import type { Refusal, RouteRequest } from './route.ts';

/** The nodes a call may use. */
export interface Usable {
  nodes: NodeState[];
  /** Those of them that have room. */
  free: NodeState[];
  /** Why it is the first of `free`, and no choice. */
  why?: 'probe' | 'least_bad';
}

/** One on probation alone, or those that are in, or, when there are none, all. */
export function usableNodes(
  all: Iterable<NodeState>,
  request: RouteRequest,
  now: number,
): Usable | Exclude<Refusal, 'saturated'> {
  let matching = 0;
  const allowed: NodeState[] = [];
  const nodes: NodeState[] = [];
  const probed: NodeState[] = [];
  for (const node of all) {
    if (!matches(node, request)) continue;
    matching++;
    if (request.exclude?.has(node.spec.name)) continue;
    allowed.push(node);
    const state = node.state(now);
    if (state === 'in') nodes.push(node);
    if (state === 'probing' && node.inFlight < node.ejection.probes) probed.push(node);
  }
  if (allowed.length === 0) return matching === 0 ? 'unmatched' : 'excluded';
  if (probed.length > 0) return { nodes: allowed, free: probed, why: 'probe' };
  if (nodes.length > 0) return { nodes, free: nodes.filter(({ hasRoom }) => hasRoom) };
  const free = allowed.filter(({ hasRoom }) => hasRoom).sort(byBadness);
  return { nodes: allowed, free, why: 'least_bad' };
}

/** Whether a call may go to a node. */
export function isFor(node: NodeState, request: RouteRequest): boolean {
  return matches(node, request) && !request.exclude?.has(node.spec.name);
}

/** Whether a node is for such calls. */
export function matches(
  { spec }: NodeState,
  { agentName, tags, model }: Omit<RouteRequest, 'prefix'>,
): boolean {
  if (spec.agents && (agentName === undefined || !spec.agents.includes(agentName))) return false;
  if (model !== undefined && spec.model !== undefined && spec.model !== model) return false;
  return tags?.every(tag => spec.tags?.includes(tag)) ?? true;
}

/** Healthy before unhealthy, then whose time out ends first, then whose calls fail less. */
export function byBadness(a: NodeState, b: NodeState): number {
  return (
    Number(b.healthy) - Number(a.healthy) ||
    a.ejection.until - b.ejection.until ||
    (a.errorRate.value ?? 0) - (b.errorRate.value ?? 0)
  );
}
