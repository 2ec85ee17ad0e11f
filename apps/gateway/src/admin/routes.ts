import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hijack } from '../routes/hijack.ts';
import type { Feed } from './feed.ts';

export interface AdminOptions {
  feed: Feed;
  /** @throws (or rejects with) what the server's error handler is to answer, unless the request has an admin key */
  authenticate(request: FastifyRequest): void | Promise<void>;
  /** Milliseconds between two looks at whether a console still reads, and may. Default 15,000. */
  heartbeatMs?: number;
}

/** Bytes that a console may leave unread. */
const MAX_UNREAD = 4 * 1024 * 1024;

/** A fastify plugin: what the gateway tells its console, as apps/console/src/contract.ts has it. */
export async function adminRoutes(
  app: FastifyInstance,
  { feed, authenticate, heartbeatMs = 15_000 }: AdminOptions,
): Promise<void> {
  app.addHook('onRequest', async request => authenticate(request));
  // Streams that go on would keep the server from closing.
  app.addHook('preClose', async () => feed.close());

  app.get('/admin/events', (request, reply) =>
    stream(feed, reply, { heartbeatMs, authenticate: async () => authenticate(request) }),
  );

  app.get<{ Params: { id: string } }>('/admin/requests/:id', async ({ params }, reply) => {
    const record = feed.request(params.id);
    if (record) return reply.header('cache-control', 'no-store').send(record);
    const message = `no call ${JSON.stringify(params.id)} is in the log; it keeps the newest ones only`;
    return reply.code(404).send({ error: { message, type: 'not_found', code: 'request_not_found' } });
  });
}

interface StreamOptions {
  heartbeatMs: number;
  /** Rejects when its key is no admin's any more. */
  authenticate(): Promise<void>;
}

/** Server-sent events until the console goes, stops to read, loses its key, or the feed closes. */
function stream(feed: Feed, reply: FastifyReply, { heartbeatMs, authenticate }: StreamOptions): void {
  hijack(reply);
  const { raw } = reply;
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const subscriber = feed.subscribe({
    write: frames => raw.write(frames) || raw.writableLength < MAX_UNREAD,
    end: () => raw.end(),
  });
  if (!subscriber) {
    raw.end();
    return;
  }
  let wasFull = false;
  const heartbeat = setInterval(() => {
    if (wasFull && subscriber.isFull) raw.destroy();
    else if (!subscriber.isFull) raw.write(':\n\n');
    wasFull = subscriber.isFull;
    // Keys are taken away by a reload, which no open stream hears of.
    authenticate().catch(() => raw.destroy());
  }, heartbeatMs).unref();
  raw.on('drain', () => subscriber.drained());
  raw.on('close', () => {
    clearInterval(heartbeat);
    feed.unsubscribe(subscriber);
  });
}
