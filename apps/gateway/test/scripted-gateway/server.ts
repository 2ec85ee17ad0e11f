import fastify, { type FastifyRequest } from 'fastify';
import { consoleRoutes } from '../../src/admin/console-routes.ts';
import { Feed } from '../../src/admin/feed.ts';
import { Journal } from '../../src/admin/journal.ts';
import { adminRoutes } from '../../src/admin/routes.ts';
import { Sampler } from '../../src/admin/sampler.ts';
import { streamChat } from './chat.ts';
import { HELLO, NODES } from './setup.ts';
import { Traffic } from './traffic.ts';

const ADMIN_KEY = 'scripted-admin-key';
const USER_KEY = 'scripted-user-key';

export interface ScriptedGateway {
  url: string;
  adminKey: string;
  /** Of somebody who may use the playground alone. */
  userKey: string;
  loadOn(): void;
  loadOff(): void;
  nodeDown(name?: string): void;
  nodeUp(name?: string): void;
  stop(): Promise<void>;
}

export interface ScriptedGatewayOptions {
  /** Default: any that is free. */
  port?: number;
  /** Seconds of traffic that it has already had. */
  pastSeconds?: number;
}

/** A gateway without providers: the real admin and console routes, made-up traffic, answers by script. */
export async function startScriptedGateway(options: ScriptedGatewayOptions = {}): Promise<ScriptedGateway> {
  const { port = 0, pastSeconds = 0 } = options;
  const [journal, sampler] = [new Journal(), new Sampler()];
  const traffic = new Traffic(journal, sampler);
  traffic.past(pastSeconds);
  const feed = new Feed(
    {
      hello: () => HELLO,
      nodes: () => traffic.nodes(),
      circuits: () => traffic.circuits(),
      budgets: async () => traffic.budgets(),
      inFlight: () => traffic.load(),
    },
    journal,
    sampler,
  );
  const app = fastify({ forceCloseConnections: true });
  await app.register(adminRoutes, { feed, authenticate: request => authenticate(request, true) });
  await app.register(consoleRoutes);
  app.get('/v1/models', async request => {
    authenticate(request);
    return { object: 'list', data: HELLO.models.map(({ id }) => ({ id, object: 'model' })) };
  });
  app.post('/v1/chat/completions', async (request, reply) => {
    authenticate(request);
    await streamChat(request, reply, traffic);
  });
  const url = await app.listen({ port, host: '127.0.0.1' });
  return {
    ...{ url, adminKey: ADMIN_KEY, userKey: USER_KEY },
    loadOn: () => traffic.on(),
    loadOff: () => traffic.off(),
    nodeDown: (name = NODES[1]) => traffic.down(name),
    nodeUp: (name = NODES[1]) => traffic.up(name),
    stop: async () => {
      traffic.stop();
      await app.close();
    },
  };
}

function authenticate({ headers }: FastifyRequest, asAdmin = false): void {
  const key = headers.authorization?.replace(/^Bearer /, '');
  if (key === ADMIN_KEY || (key === USER_KEY && !asAdmin)) return;
  const statusCode = key === USER_KEY ? 403 : 401;
  throw Object.assign(new Error(statusCode === 401 ? 'no such key' : 'not an admin key'), { statusCode });
}
