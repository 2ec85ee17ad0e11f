// Requests that are no calls: too large, not understood, without a key, for nobody. Each gets an answer in the words of its
// protocol, and the connection goes on where it can.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { type Answer, call, get, rawPost, rawSocket } from '../faults/client.ts';
import { gatewayOver, metric } from '../faults/gateway.ts';
import { CHAT, type Json, MODES, read, SPOKEN, type Spoken } from '../faults/protocols.ts';
import { hello, stalls, status } from '../faults/upstream.ts';

const PATIENT = { timeout: 5_000, interval: 5 };

function expectRefused(protocol: Spoken, answer: Answer, code: number): Json {
  expect(answer.status).toBe(code);
  expect(read(protocol, answer, false).outcome).toBe('error');
  expect(answer.headers['x-request-id']).toBeDefined();
  return JSON.parse(answer.text);
}

describe.each(SPOKEN)('$name', protocol => {
  const { path } = protocol;
  const ask = (url: string, body: unknown, headers: Record<string, string> = {}, key?: string) =>
    call(url, { path, body, headers, ...(key === undefined ? {} : { key }) });

  it('refuses what it cannot read, and asks nobody', async () => {
    const gateway = await gatewayOver([[hello]], { server: { maxBodyBytes: 10_000 } });
    const { url } = gateway;
    expectRefused(protocol, await ask(url, protocol.ask(true, 'x'.repeat(20_000))), 413);
    expectRefused(protocol, await ask(url, '{"model": "fast"'), 400);
    expectRefused(protocol, await ask(url, ''), 400);
    expectRefused(protocol, await ask(url, '[]'), 400);
    expectRefused(protocol, await ask(url, { model: 'fast' }), 400);
    expectRefused(protocol, await ask(url, { ...protocol.ask(true), model: 'nobody' }), 404);
    const xml = await ask(url, '<xml/>', { 'content-type': 'application/xml' });
    expect([400, 415]).toContain(xml.status);
    expectRefused(protocol, xml, xml.status);
    const polluted = `{"__proto__": {"model": "fast"}, ${JSON.stringify(protocol.ask(false)).slice(1)}`;
    expectRefused(protocol, await ask(url, polluted), 400);
    expect(gateway.upstreams[0]?.seen.length).toBe(0);
    expect(await metric(gateway, 'gateway_requests_in_flight')).toBe(0);
    expect(await metric(gateway, 'gateway_refused_requests_total')).toBeGreaterThanOrEqual(7);
  });

  it('refuses a key that it does not know', async () => {
    const gateway = await gatewayOver([[hello]]);
    const answer = await ask(gateway.url, protocol.ask(false), {}, 'xg-somebody-elses');
    expectRefused(protocol, answer, 401);
    expect(answer.text).not.toContain('xg-somebody-elses');
    const keyless = await ask(gateway.url, protocol.ask(false), { authorization: 'Basic eDp5' });
    expectRefused(protocol, keyless, 401);
  });

  it('refuses a request without a key before its body has come', async () => {
    const { url } = await gatewayOver([[hello]]);
    const { socket, text } = await rawSocket(url);
    const closed = once(socket, 'close');
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9999999\r\n\r\n{`,
    );
    await closed;
    expect(text()).toMatch(/^HTTP\/1\.1 401 /);
  });
});

describe('a route that is none', () => {
  it.each(['/v1/chat', '/v2/messages', '/', '//v1/messages', '/v1/messages/x', '/%2e%2e/admin'])(
    'is told as not found: POST %s',
    async path => {
      const { url } = await gatewayOver([[hello]]);
      const answer = await call(url, { path, body: CHAT.ask(false) });
      expect([400, 404]).toContain(answer.status);
      expect(JSON.parse(answer.text).error.message).toBeTypeOf('string');
    },
  );

  it('is told in our words where the address cannot be read', async () => {
    const gateway = await gatewayOver([[hello]]);
    const answer = await get(`${gateway.url}/v1/models/%zz`);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { type: 'invalid_request_error' } });
    expect(answer.headers['x-request-id']).toBeDefined();
  });

  it('is told what to send where its body is no JSON by its name', async () => {
    const gateway = await gatewayOver([[hello]]);
    const headers = { 'content-type': 'text/plain' };
    const { text } = await call(gateway.url, { path: CHAT.path, body: CHAT.ask(false), headers });
    expect(text).toContain('send JSON, with `content-type: application/json`');
  });

  it('is none where a balancer asks for the status alone', async () => {
    const gateway = await gatewayOver([[hello]]);
    for (const path of ['/healthz', '/readyz'])
      expect((await fetch(`${gateway.url}${path}`, { method: 'HEAD' })).status).toBe(200);
  });

  it('is one by its method, too', async () => {
    const { url } = await gatewayOver([[hello]]);
    const answer = await get(`${url}${CHAT.path}`);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text).error.message).toContain('GET /v1/chat/completions');
  });
});

describe('headers', () => {
  it('that are too large are refused with 431, and the gateway goes on', async () => {
    const { url } = await gatewayOver([[hello]], { server: { maxHeaderBytes: 4_096 } });
    const { socket, text } = await rawSocket(url);
    const closed = once(socket, 'close');
    socket.write(rawPost(CHAT.path, CHAT.ask(false), { 'x-large': 'x'.repeat(8_000) }));
    await closed;
    expect(text()).toMatch(/^HTTP\/1\.1 431 /);
    expect(JSON.parse(text().split('\r\n\r\n')[1] ?? '').error.message).toBeTypeOf('string');
    expect((await call(url, { path: CHAT.path, body: CHAT.ask(false) })).status).toBe(200);
  });

  it('that are no HTTP are refused with 400', async () => {
    const { url } = await gatewayOver([[hello]]);
    const { socket, text } = await rawSocket(url);
    const closed = once(socket, 'close');
    socket.write('HELO gateway\r\n\r\n');
    await closed;
    expect(text()).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(text().split('\r\n\r\n')[1] ?? '').error.message).toBeTypeOf('string');
  });

  it('that give the length of the body in two ways are refused', async () => {
    const gateway = await gatewayOver([[hello]]);
    const { socket, text } = await rawSocket(gateway.url);
    const closed = once(socket, 'close');
    socket.write(rawPost(CHAT.path, CHAT.ask(false), { 'transfer-encoding': 'chunked' }));
    await closed;
    expect(text()).toMatch(/^HTTP\/1\.1 400 /);
    expect(gateway.upstreams[0]?.seen.length).toBe(0);
  });
});

describe('a connection', () => {
  it('that brings what is no HTTP behind a call is cut off, and nothing is put into the answer', async () => {
    const gateway = await gatewayOver([[stalls]]);
    const { socket, text } = await rawSocket(gateway.url);
    const closed = once(socket, 'close');
    socket.write(rawPost(CHAT.path, CHAT.ask(true)));
    await vi.waitFor(() => expect(text()).toContain('Hello'), PATIENT);
    socket.write('HELO gateway\r\n\r\n');
    await closed;
    expect(text().match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(text()).not.toMatch(/\r\n0\r\n/);
    await vi.waitFor(() => expect(gateway.upstreams[0]?.seen[0]?.closedEarly).toBe(true), PATIENT);
  });

  it.each(MODES)('is used again after errors, in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[status(500), hello]]);
    const { socket, text } = await rawSocket(gateway.url);
    const answers = () => text().match(/HTTP\/1\.1 \d+/g) ?? [];
    const send = async (post: string, count: number) => {
      socket.write(post);
      await vi.waitFor(() => expect(answers().length).toBe(count), PATIENT);
      await sleep(30);
    };
    const post = rawPost(protocol.path, protocol.ask(stream));
    await send(rawPost(protocol.path, { model: 'fast' }), 1);
    await send(rawPost('/v1/nothing', {}), 2);
    await send(post, 3);
    await send(post, 4);
    expect(answers().map(line => Number(line.slice(9)))).toEqual([400, 404, 502, 200]);
    await vi.waitFor(() => expect(text()).toContain(' world'), PATIENT);
    socket.destroy();
  });

  it('is closed after a body that nobody reads to its end', async () => {
    const { url } = await gatewayOver([[hello]], { server: { maxBodyBytes: 1_000 } });
    const { socket, text } = await rawSocket(url);
    const closed = once(socket, 'close');
    socket.write(
      rawPost(CHAT.path, CHAT.ask(false, 'x'.repeat(2_000))) + rawPost(CHAT.path, CHAT.ask(false)),
    );
    await closed;
    expect(text().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413']);
  });
});
