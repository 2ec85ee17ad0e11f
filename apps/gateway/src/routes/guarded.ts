import type { FastifyInstance, RouteOptions } from 'fastify';
import { authenticate } from '../auth/authenticate.ts';
import { openAIError } from '../protocols/openai-error.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { draining } from './draining.ts';
import type { ServerParts } from './parts.ts';
import { noteRefusal, refuse } from './refuse.ts';

/**
 * A route for those who have a key, whose errors are told in the words of a protocol.
 * @param protocol default: as OpenAI tells them
 */
export function guarded(
  app: FastifyInstance,
  parts: ServerParts,
  route: Pick<RouteOptions, 'method' | 'url' | 'handler'>,
  protocol: Pick<Protocol, 'refusal' | 'statusOf'> = { refusal: openAIError },
): void {
  app.route({
    ...route,
    config: { protocol },
    // Before the body is read: a stranger's is not worth the memory.
    onRequest: (request, reply, done) => {
      try {
        if (parts.draining()) throw draining();
        request.caller = authenticate(parts.live.current.keys, request.headers);
      } catch (error) {
        noteRefusal(parts, error);
        refuse(reply, protocol, error);
        return;
      }
      done();
    },
  });
}
