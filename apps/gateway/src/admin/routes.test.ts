import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify from 'fastify';
import { afterEach, expect, it } from 'vitest';
import { until } from '../../../../test/real-llama-server.ts';
import { Feed } from './feed.ts';
import { Journal } from './journal.ts';
import { adminRoutes } from './routes.ts';
import { Sampler } from './sampler.ts';
import { record } from './test-records.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A server with the admin routes; its nodes are asked for as long as somebody watches. */
async function gateway(heartbeatMs = 15_000) {
  const journal = new Journal();
  const asked = { nodes: 0, large: '' };
  const feed = new Feed(
    {
      hello: () => ({
        ...{ version: asked.large, replica: 'r', startedAt: Date.now(), capture: true },
        ...{ models: [], providers: [], keys: [] },
      }),
      nodes: () => {
        asked.nodes++;
        return [];
      },
      circuits: () => [],
      budgets: async () => [],
      inFlight: () => ({ inFlight: 0, waiting: 0 }),
    },
    journal,
    new Sampler(),
  );
  const keys = new Set(['Bearer admin']);
  const app = fastify();
  await app.register(adminRoutes, {
    feed,
    heartbeatMs,
    authenticate: ({ headers }) => {
      if (!keys.has(headers.authorization ?? '')) throw Object.assign(new Error('no'), { statusCode: 403 });
    },
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  closing.push(() => app.close());
  return { app, feed, journal, asked, keys, url, port: Number(new URL(url).port) };
}

const watch = (url: string, key = 'admin') =>
  fetch(`${url}/admin/events`, { headers: { authorization: `Bearer ${key}` } });

/** What a socket that asks for the events has been sent so far. */
async function connect(port: number): Promise<{ socket: Socket; text: () => string }> {
  const socket = createConnection(port, '127.0.0.1');
  closing.push(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', chunk => {
    text += chunk;
  });
  await once(socket, 'connect');
  socket.write('GET /admin/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer admin\r\n\r\n');
  return { socket, text: () => text };
}

it('streams to an admin what happens, and lets go of it when it leaves', async () => {
  const { journal, port, feed, asked } = await gateway();
  const { socket, text } = await connect(port);
  await until(() => text().includes('event: requests\ndata: []'));
  expect(text()).toMatch(/^HTTP\/1.1 200 OK\r\ncontent-type: text\/event-stream\r\n/);
  journal.put(record({ id: 'seen' }));
  await until(() => /event: request\ndata: {"id":"seen"/.test(text()));
  socket.destroy();
  await sleep(50);
  const before = asked.nodes;
  await sleep(1500);
  expect(asked.nodes).toBe(before);
  feed.close();
});

it('ends its streams when the feed closes, and so when the server does', async () => {
  const { app, feed, url } = await gateway();
  const first = await watch(url);
  feed.close();
  expect(await first.text()).toContain('event: hello');
  expect(await (await watch(url)).text()).toBe('');

  const other = await gateway();
  const second = await watch(other.url);
  await Promise.all([app.close(), other.app.close()]);
  expect(await second.text()).toContain('event: hello');
});

it('ends the stream of a key that is no admin key any more', async () => {
  const { port, keys } = await gateway(50);
  const { socket, text } = await connect(port);
  await until(() => text().includes('event: requests'));
  keys.clear();
  await once(socket, 'close');
});

it('tells of one call all that is kept', async () => {
  const { journal, url } = await gateway();
  journal.put(record({ id: 'a', content: { prompt: 'Hi', answer: 'Hello' } }));
  const get = (id: string) =>
    fetch(`${url}/admin/requests/${id}`, { headers: { authorization: 'Bearer admin' } });
  expect(await (await get('a')).json()).toMatchObject({ content: { answer: 'Hello' } });
  const missing = await get('b');
  expect(missing.status).toBe(404);
  expect(await missing.json()).toMatchObject({ error: { code: 'request_not_found' } });
});

it('refuses whoever does not authenticate', async () => {
  const { url } = await gateway();
  expect((await watch(url, 'other')).status).toBe(403);
  expect((await fetch(`${url}/admin/requests/a`)).status).toBe(403);
});

it('holds no more than a bounded backlog for a console that stops to read', { timeout: 20_000 }, async () => {
  const { asked, port } = await gateway();
  const { socket, text } = await connect(port);
  await until(() => text().includes('event: requests'));
  socket.pause();
  // As much as the system's own buffers take, and then some.
  for (let second = 0; second < 3; second++) {
    asked.large = String(second).repeat(6 * 1024 * 1024);
    await sleep(1000);
  }
  asked.large = 'small';
  const before = text().length;
  socket.resume();
  await until(() => text().includes('"version":"small"'));
  expect(text().length - before).toBeLessThan(13 * 1024 * 1024);
});
