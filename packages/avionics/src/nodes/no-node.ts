import { AirframeError } from '@x/airframe';
import { defined } from '../providers/options.ts';
import type { Refusal, RouteRequest } from './route.ts';

/** Code of the error when all nodes that fit a call are excluded. */
export const NO_NODE_LEFT = 'no_node_left';

/** The error of a call while there is no node at all, where nodes come and go. */
export function noNodeNow(): AirframeError {
  return new AirframeError('overloaded', 'there is no node at the moment', {
    code: 'no_node',
    retryAfterMs: 1_000,
    remedy: 'start one, or wait until one is ready',
  });
}

/** The error of a call that no node is for. */
export function noNode(
  refused: Exclude<Refusal, 'saturated'>,
  { agentName, model, tags }: RouteRequest,
): AirframeError {
  const wanted = Object.entries(defined({ agent: agentName, model, tags: tags?.join('+') || undefined }));
  const whom = wanted.map(([what, value]) => `${what} ${value}`).join(', ') || 'just any call';
  if (refused === 'excluded') {
    return new AirframeError('not_found', `every node for ${whom} is excluded`, { code: NO_NODE_LEFT });
  }
  return new AirframeError('not_found', `no node is for ${whom}`, {
    code: 'no_node',
    remedy: 'see the fields agents, model and tags of the node profiles',
  });
}
