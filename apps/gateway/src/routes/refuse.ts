import { randomUUID } from 'node:crypto';
import { AirframeError } from '@x/airframe';
import type { FastifyReply } from 'fastify';
import { errorHeaders } from '../calls/headers.ts';
import { forClients } from '../calls/public-error.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { statusOf } from '../protocols/status.ts';

/** Answers a request that becomes no call, in the words of its protocol. */
export function refuse(
  reply: FastifyReply,
  protocol: Pick<Protocol, 'refusal' | 'statusOf'>,
  error: unknown,
): FastifyReply {
  const problem = AirframeError.from(error);
  const requestId = randomUUID();
  const status = (protocol.statusOf ?? statusOf)(problem);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  // What is left of a body that nobody reads would be taken for the next request.
  if (status === 401 || status === 413 || status === 503) reply.header('connection', 'close');
  return reply
    .code(status)
    .headers({ 'x-request-id': requestId, ...errorHeaders(problem) })
    .send(protocol.refusal(forClients(problem), requestId));
}
