import type { FastifyReply } from 'fastify';

/**
 * Takes an answer out of fastify's hands, with the headers it has got until then: those for pages of another origin are
 * fastify's to set, and without them a browser would keep the answer to itself.
 */
export function hijack(reply: FastifyReply): void {
  if (reply.request.headers.origin !== undefined) {
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
  }
  reply.hijack();
}
