import type { FastifyInstance } from 'fastify';
import { authenticate, checkAdmin } from '../auth/authenticate.ts';
import { isLoopback } from '../config/loopback.ts';
import { openAIError } from '../protocols/openai-error.ts';
import type { ServerParts } from './parts.ts';
import { refuse } from './refuse.ts';

/** Some balancers and watchers ask for the status alone. */
const WITH_HEAD = { exposeHeadRoute: true };

/**
 * `/healthz`: the process lives. `/readyz`: it takes calls. `/metrics`: Prometheus's.
 * @param host where the server listens, whatever a later configuration says
 */
export function operationsRoutes(app: FastifyInstance, parts: ServerParts, host: string): void {
  app.get('/healthz', WITH_HEAD, async () => ({ status: 'ok' }));
  app.get('/readyz', WITH_HEAD, async (_request, reply) => {
    const reason = parts.draining() ? 'draining' : unready(parts);
    if (reason === undefined) return { status: 'ready' };
    return reply.code(503).send({ status: reason });
  });
  app.get('/metrics', async (request, reply) => {
    const { config, keys } = parts.live.current;
    const open = config.metrics?.public ?? isLoopback(host);
    if (!open) {
      try {
        checkAdmin(authenticate(keys, request.headers));
      } catch (error) {
        return refuse(reply, { refusal: openAIError }, error);
      }
    }
    const { registry } = parts.metrics;
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}

/** Nodes that are all out leave nobody to answer; a provider that fails now and then is no reason to take no calls. */
function unready({ live }: ServerParts): string | undefined {
  const { providers } = live.current;
  const pools = [...providers.values()].flatMap(({ pool }) => (pool ? [pool] : []));
  if (pools.length === 0 || pools.length < providers.size) return undefined;
  const isUp = pools.some(pool => pool.snapshot().nodes.some(({ state }) => state !== 'out'));
  return isUp ? undefined : 'no node takes calls';
}
