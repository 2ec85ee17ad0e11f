// What must not come out: keys of providers and of clients, prompts in logs. And what a client must not choose: whom the
// gateway speaks to.
import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Script, scriptedServer } from '../../../../test/scripted-server.ts';
import { hashOf } from '../../src/auth/keys.ts';
import { call, get, rawPost, rawSocket } from '../faults/client.ts';
import { type FaultyGateway, type FaultyOptions, gatewayOver, providerKey } from '../faults/gateway.ts';
import { CHAT, MODES, SPOKEN } from '../faults/protocols.ts';
import { hello, upstream } from '../faults/upstream.ts';
import { ADMIN, KEY } from '../running-gateway.ts';

const PROMPT = 'the-prompt-that-nobody-is-to-log';
const SECRETS = [providerKey(0), providerKey(1), KEY, ADMIN, hashOf(KEY), hashOf(ADMIN)];

/** What the console's feed tells at first. */
async function feedOf(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/admin/events`, { headers: { authorization: `Bearer ${ADMIN}` } });
    sent.on('error', reject);
    sent.on('response', response => {
      let text = '';
      response.on('data', chunk => {
        text += chunk;
        if (!text.includes('event: budgets')) return;
        sent.destroy();
        resolve(text);
      });
      response.on('error', () => {});
    });
    sent.end();
  });
}

/** Everything the gateway has told anybody but its upstreams, beside answers. */
async function toldBy(gateway: FaultyGateway): Promise<Record<string, string>> {
  const { url } = gateway;
  return {
    log: JSON.stringify(gateway.log()),
    metrics: (await get(`${url}/metrics`)).text,
    feed: await feedOf(url),
    models: (await get(`${url}/v1/models`, { authorization: `Bearer ${KEY}` })).text,
  };
}

function expectNone(texts: Record<string, string>, secrets: readonly string[]): void {
  for (const [where, text] of Object.entries(texts)) {
    for (const secret of secrets) expect(text.includes(secret), `${secret} in ${where}: ${text}`).toBe(false);
  }
}

/** Tells all that it was told, in whichever way. */
const echoing: Record<string, Script> = {
  'in an error': (response, { headers, body }) => {
    response.writeHead(401, {
      'content-type': 'application/json',
      'x-request-id': String(headers.authorization),
    });
    const message = `Incorrect API key provided: ${headers.authorization}. You said ${JSON.stringify(body)}`;
    response.end(
      JSON.stringify({ error: { message, type: 'invalid_request_error', code: headers.authorization } }),
    );
  },
  'on a page': (response, { headers, body }) => {
    response.writeHead(500, { 'content-type': 'text/html' });
    response.end(`<pre>${JSON.stringify(headers)} ${JSON.stringify(body)}</pre>`);
  },
  'in a refusal of the request': (response, { headers, body }) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: JSON.stringify([headers, body]), code: 'bad' } }));
  },
  'in the first event': upstream(up => up.error(JSON.stringify([up.seen.headers, up.seen.body])).done()),
  'in a later event': upstream(up =>
    up
      .say('x')
      .error(JSON.stringify([up.seen.headers, up.seen.body]))
      .done(),
  ),
  'in half of an event': upstream(up =>
    up
      .say('x')
      .event(`{"x": ${JSON.stringify(up.seen)}`)
      .done(),
  ),
};

describe.each(Object.entries(echoing))('an upstream that tells our key %s', (_, script) => {
  it.each(MODES)('tells it nobody, in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[script], [script]], { midStream: 'continue' });
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream, PROMPT) });
    const told = await toldBy(gateway);
    expectNone({ ...told, headers: JSON.stringify(answer.headers), answer: answer.text }, SECRETS);
    expectNone({ log: told['log'] ?? '', metrics: told['metrics'] ?? '' }, [PROMPT]);
  });
});

describe('a call that goes well', () => {
  it.each(MODES)('leaves no key and no prompt anywhere, in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[hello]]);
    const body = protocol.ask(stream, PROMPT);
    const answer = await call(gateway.url, { path: protocol.path, body });
    expect(answer.status).toBe(200);
    await call(gateway.url, { path: protocol.path, body: { ...body, temperature: PROMPT } });
    const told = await toldBy(gateway);
    expectNone({ ...told, headers: JSON.stringify(answer.headers), answer: answer.text }, SECRETS);
    expectNone(told, [PROMPT, 'Hello']);
  });
});

describe('what goes upstream', () => {
  const headers = {
    'x-api-key': KEY,
    'api-key': KEY,
    cookie: `session=${KEY}`,
    'proxy-authorization': `Bearer ${KEY}`,
    'openai-organization': 'mine',
    'x-trace': 'of the client',
    'x-other': 'of the client',
    forwarded: 'for=1.2.3.4',
  };

  it.each(SPOKEN)('is our key and nothing of the client’s headers, in $name', async protocol => {
    const gateway = await gatewayOver([[hello]]);
    await call(gateway.url, { path: protocol.path, body: protocol.ask(false), headers });
    const [seen] = gateway.upstreams[0]?.seen ?? [];
    expect(seen?.headers.authorization).toBe(`Bearer ${providerKey(0)}`);
    expect(JSON.stringify(seen)).not.toContain(KEY);
    expect(JSON.stringify(seen)).not.toContain('of the client');
    expect(seen?.headers).not.toHaveProperty('forwarded');
    expect(seen?.headers).not.toHaveProperty('openai-organization');
  });

  it('has the headers that the configuration names, and no others', async () => {
    const gateway = await gatewayOver([[hello]], { server: { forwardHeaders: ['x-trace'] } });
    await call(gateway.url, { path: CHAT.path, body: CHAT.ask(false), headers });
    const [seen] = gateway.upstreams[0]?.seen ?? [];
    expect(seen?.headers['x-trace']).toBe('of the client');
    expect(seen?.headers).not.toHaveProperty('x-other');
    expect(JSON.stringify(seen)).not.toContain(KEY);
  });
});

describe('a client', () => {
  /** A server of somebody else, that nobody is to ask. */
  async function withDecoy(options: FaultyOptions = {}) {
    const decoy = await scriptedServer(hello);
    onTestFinished(() => decoy.close());
    return { decoy, gateway: await gatewayOver([[hello]], options) };
  }

  it.each(MODES)('cannot choose the upstream by its body, in $mode', async ({ protocol, stream }) => {
    const { decoy, gateway } = await withDecoy();
    const names = [
      'base_url',
      'baseUrl',
      'api_base',
      'endpoint',
      'url',
      'host',
      'api_key',
      'apiKey',
      'provider',
    ];
    const body = protocol.ask(stream);
    for (const name of names) {
      await call(gateway.url, { path: protocol.path, body: { ...body, [name]: decoy.url } });
      const nested = {
        extra_body: { [name]: decoy.url },
        extra: { [name]: decoy.url },
        metadata: { [name]: decoy.url },
      };
      await call(gateway.url, { path: protocol.path, body: { ...body, ...nested } });
    }
    for (const model of [
      decoy.url,
      `${decoy.url}/fast`,
      'up0/../x',
      'up0/other',
      '__proto__',
      'constructor',
    ]) {
      const answer = await call(gateway.url, { path: protocol.path, body: { ...body, model } });
      expect(answer.status).toBe(404);
    }
    expect(decoy.seen).toEqual([]);
    expect(
      JSON.stringify(gateway.upstreams[0]?.seen.map(({ path, headers }) => [path, headers])),
    ).not.toContain(decoy.url);
  });

  it.each(MODES)(
    'cannot choose the upstream by its headers or its request line, in $mode',
    async ({ protocol, stream }) => {
      const { decoy, gateway } = await withDecoy({ server: { trustProxy: true } });
      const { host } = new URL(decoy.url);
      const names = [
        'host',
        'x-forwarded-host',
        'x-forwarded-for',
        'x-original-url',
        'x-rewrite-url',
        'x-base-url',
      ];
      for (const name of [...names, 'x-portkey-custom-host', 'x-gateway-base-url', 'x-gateway-provider']) {
        const headers = { [name]: name.endsWith('url') ? decoy.url : host };
        const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream), headers });
        expect(answer.status).toBe(200);
      }
      for (const target of [
        `${decoy.url}${protocol.path}`,
        `//${host}${protocol.path}`,
        `${protocol.path}@${host}`,
      ]) {
        const { socket, text } = await rawSocket(gateway.url);
        socket.write(rawPost(target, protocol.ask(stream), { host }));
        await expect.poll(text, { timeout: 5_000 }).toMatch(/^HTTP\/1\.1 (200|400|404) /);
        socket.destroy();
      }
      expect(decoy.seen).toEqual([]);
      const hosts = gateway.upstreams[0]?.seen.map(({ headers }) => headers.host) ?? [];
      expect(new Set(hosts)).toEqual(new Set([new URL(gateway.upstreams[0]?.url ?? '').host]));
    },
  );

  it('cannot have the gateway tunnel or follow somewhere', async () => {
    const { decoy, gateway } = await withDecoy();
    const { host } = new URL(decoy.url);
    const { socket, text } = await rawSocket(gateway.url);
    socket.write(`CONNECT ${host} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    await expect.poll(() => socket.destroyed || text() !== '', { timeout: 5_000 }).toBe(true);
    expect(text()).not.toMatch(/^HTTP\/1\.1 200/);
    socket.destroy();
    expect(decoy.seen).toEqual([]);
  });

  it('is not led elsewhere by an upstream', async () => {
    const decoy = await scriptedServer(hello);
    onTestFinished(() => decoy.close());
    const leading: Script = response => {
      response.writeHead(307, { location: `${decoy.url}/v1/chat/completions` });
      response.end();
    };
    const gateway = await gatewayOver([[leading]]);
    const answer = await call(gateway.url, { path: CHAT.path, body: CHAT.ask(true) });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(decoy.seen).toEqual([]);
  });
});
