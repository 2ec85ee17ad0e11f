import { randomUUID } from 'node:crypto';
import { AirframeError } from '@x/airframe';
import type { FastifyReply } from 'fastify';
import { errorHeaders } from '../calls/headers.ts';
import { forClients } from '../calls/public-error.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { GATEWAY_CODES, statusOf } from '../protocols/status.ts';
import type { ServerParts } from './parts.ts';

/** Whose words hold nothing that a client wrote but names. */
const OWN_CODES: ReadonlySet<string | undefined> = new Set(Object.values(GATEWAY_CODES));

/** Counts a request that becomes no call, and writes its line. */
export function noteRefusal({ metrics, log, live }: ServerParts, error: unknown): void {
  const problem = AirframeError.from(error);
  const { category, code, message } = problem;
  metrics.refused(problem);
  if (live.current.config.log?.access === false) return;
  log.info({ category, code, reason: OWN_CODES.has(code) ? message : undefined }, 'request refused');
}

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
