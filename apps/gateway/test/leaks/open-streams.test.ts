import { Agent, request } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../../../test/resources.ts';
import { type Script, scriptedServer } from '../../../../test/scripted-server.ts';
import { type GatewayProcess, startGatewayProcess } from '../gateway-process.ts';
import { KEY } from '../running-gateway.ts';
import { delta, usage } from '../upstreams.ts';

const STREAMS = 2_000;
const WAVES = 3;
/** Clients of a wave that go after their first piece. */
const LEAVING = 400;
const MOST_BYTES = 400 * 1_024 * 1_024;
const TELL = new URL('tell-resources.mjs', import.meta.url).href;

interface Resources {
  bytes: number;
  sockets: number;
  timers: number;
}

/** What the gateway has in use once all garbage is gone. */
async function resourcesOf(gateway: GatewayProcess): Promise<Resources> {
  const lines = () => [...gateway.output().matchAll(/^resources (.*)$/gm)];
  const before = lines().length;
  gateway.signal('SIGUSR2');
  await until(() => lines().length > before);
  return JSON.parse(lines().at(-1)?.[1] ?? '') as Resources;
}

const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });

interface Client {
  /** The body, once it is whole; undefined: it never was. */
  text: Promise<string | undefined>;
  leave(): void;
}

/** @param onBegun the first piece has come */
function stream({ url }: GatewayProcess, onBegun: () => void): Client {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const asked = request(`${url}/v1/chat/completions`, { method: 'POST', headers, agent });
  const text = new Promise<string | undefined>(resolve => {
    const broken = () => resolve(undefined);
    asked.on('error', broken).on('response', answer => {
      let body = '';
      answer.setEncoding('utf8').on('error', broken);
      answer.on('data', chunk => {
        if (body === '') onBegun();
        body += chunk;
      });
      answer.on('end', () => resolve(body));
    });
  });
  asked.end(JSON.stringify({ model: 'fast', stream: true, messages: [{ role: 'user', content: 'Hi' }] }));
  return { text, leave: () => void asked.destroy() };
}

/** Answers stop behind their first piece until they are released. */
function holding(): { script: Script; release(): void } {
  let held: (() => void)[] = [];
  const script: Script = async response => {
    const send = (event: object | string) =>
      response.write(`data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    send(delta({ content: 'word ' }));
    await new Promise<void>(go => held.push(go));
    for (let words = 1; words < 10; words++) {
      send(delta({ content: 'word ' }));
      await new Promise(setImmediate);
    }
    for (const event of [delta({}, 'stop'), usage(5, 10), '[DONE]']) send(event);
    response.end();
  };
  const release = () => {
    for (const go of held) go();
    held = [];
  };
  return { script, release };
}

async function inFlightOf({ url }: GatewayProcess): Promise<number> {
  const answer = await fetch(`${url}/metrics`, { headers: { connection: 'close' } });
  return Number(/^gateway_requests_in_flight (\d+)$/m.exec(await answer.text())?.[1]);
}

it(`${STREAMS} streams at once stay within 400 MB, come whole unless their client leaves, and leave nothing behind`, {
  timeout: 180_000,
}, async () => {
  const { script, release } = holding();
  const upstream = await scriptedServer(script);
  onTestFinished(() => upstream.close());
  const gateway = await startGatewayProcess(
    {
      log: { access: false },
      providers: { up: { type: 'openai', baseUrl: `${upstream.url}/v1`, maxRetries: 0 } },
      models: { fast: { targets: [{ provider: 'up', model: 'm' }] } },
    },
    {},
    ['--expose-gc', '--import', TELL],
  );
  const idle = await resourcesOf(gateway);

  const wave = async (): Promise<Resources> => {
    let begun = 0;
    const clients = Array.from({ length: STREAMS }, () => stream(gateway, () => begun++));
    await until(() => begun === STREAMS);
    expect(await inFlightOf(gateway)).toBe(STREAMS);
    expect(gateway.residentBytes()).toBeLessThan(MOST_BYTES);
    const [leaving, staying] = [clients.slice(0, LEAVING), clients.slice(LEAVING)];
    for (const client of leaving) client.leave();
    await until(async () => (await inFlightOf(gateway)) === STREAMS - LEAVING);
    release();
    for (const text of await Promise.all(staying.map(({ text }) => text))) {
      expect(text?.match(/word /g)).toHaveLength(10);
      expect(text?.endsWith('data: [DONE]\n\n')).toBe(true);
    }
    expect(gateway.residentBytes()).toBeLessThan(MOST_BYTES);
    await until(() => upstream.sockets.size === 0);
    expect(await inFlightOf(gateway)).toBe(0);
    await until(async () => (await resourcesOf(gateway)).sockets === 0);
    return resourcesOf(gateway);
  };
  const waves: Resources[] = [];
  for (let sent = 0; sent < WAVES; sent++) waves.push(await wave());
  const [first, last] = [waves[0], waves.at(-1)] as [Resources, Resources];
  expect(last.sockets).toBe(0);
  expect(last.timers).toBeLessThanOrEqual(idle.timers);
  expect(last.bytes).toBeLessThan(first.bytes * 1.05);
});
