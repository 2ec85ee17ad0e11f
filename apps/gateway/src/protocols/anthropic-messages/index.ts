import type { Protocol } from '../protocol.ts';
import { wireErrorOf, wireStatusOf } from './errors.ts';
import { readMessages } from './request.ts';

export { readCountTokens } from './request.ts';

/** Anthropic's Messages API. Blocks that only Anthropic's servers can fill (server tools, documents) are refused. */
export const anthropicMessages: Protocol = {
  name: 'anthropic-messages',
  path: '/v1/messages',
  read: readMessages,
  refusal: wireErrorOf,
  statusOf: wireStatusOf,
};
