import { expect, it, onTestFinished } from 'vitest';
import { scriptedServer } from '../../../../test/scripted-server.ts';
import { ADMIN, KEY, runGateway } from '../running-gateway.ts';
import { hello } from '../upstreams.ts';

const ORIGIN = 'https://app.example';

async function start(): Promise<(path: string, init: RequestInit) => Promise<Response>> {
  const upstream = await scriptedServer(hello);
  onTestFinished(() => upstream.close());
  const { url } = await runGateway({
    server: { cors: [ORIGIN] },
    providers: { up: { type: 'openai', baseUrl: `${upstream.url}/v1` } },
    models: { fast: { targets: [{ provider: 'up', model: 'm' }] } },
  });
  return (path, init) => fetch(`${url}${path}`, init);
}

const asking = (fields: object, origin = ORIGIN): RequestInit => ({
  method: 'POST',
  headers: { origin, authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: 'Hi' }], ...fields }),
});

it.each([
  ['a whole answer', {}],
  ['a stream', { stream: true }],
  ['a refusal', { model: 'nobody' }],
])('lets a page of a named origin read %s', async (_, fields) => {
  const call = await start();
  const answer = await call('/v1/chat/completions', asking(fields));
  expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  expect(answer.headers.get('access-control-expose-headers')).toContain('x-gateway-model');
  await answer.text();
});

it('lets a page of another origin read nothing', async () => {
  const call = await start();
  const answer = await call('/v1/chat/completions', asking({}, 'https://elsewhere.example'));
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  await answer.text();
});

it("lets a named origin read the console's events", async () => {
  const call = await start();
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const answer = await call('/admin/events', {
    headers: { origin: ORIGIN, authorization: `Bearer ${ADMIN}` },
    signal: ending.signal,
  });
  expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
});
