import { Agent, request } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../../../test/resources.ts';
import { type Script, scriptedServer } from '../../../../test/scripted-server.ts';
import { type GatewayProcess, startGatewayProcess } from '../gateway-process.ts';
import { KEY } from '../running-gateway.ts';
import { delta, usage } from '../upstreams.ts';

const STREAMS = 2_000;
const WAVES = 3;
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

/** @param onBegun the first piece has come */
function stream({ url }: GatewayProcess, onBegun: () => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
    const asked = request(`${url}/v1/chat/completions`, { method: 'POST', headers, agent }, answer => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', chunk => {
        if (text === '') onBegun();
        text += chunk;
      });
      answer.on('end', () => resolve(text));
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(JSON.stringify({ model: 'fast', stream: true, messages: [{ role: 'user', content: 'Hi' }] }));
  });
}

it(`${STREAMS} streams at once stay within 400 MB, come whole, and leave nothing behind`, {
  timeout: 180_000,
}, async () => {
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
  const inFlight = async () => {
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    return Number(/^gateway_requests_in_flight (\d+)$/m.exec(metrics)?.[1]);
  };
  const idle = await resourcesOf(gateway);

  const wave = async (): Promise<Resources> => {
    let begun = 0;
    const streams = Array.from({ length: STREAMS }, () => stream(gateway, () => begun++));
    await until(() => begun === STREAMS);
    expect(await inFlight()).toBe(STREAMS);
    expect(gateway.residentBytes()).toBeLessThan(MOST_BYTES);
    for (const go of held) go();
    held = [];
    for (const text of await Promise.all(streams)) {
      expect(text.match(/word /g)).toHaveLength(10);
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    }
    expect(gateway.residentBytes()).toBeLessThan(MOST_BYTES);
    await until(() => upstream.sockets.size === 0);
    expect(await inFlight()).toBe(0);
    return resourcesOf(gateway);
  };
  const waves: Resources[] = [];
  for (let sent = 0; sent < WAVES; sent++) waves.push(await wave());
  const [first, last] = [waves[0], waves.at(-1)] as [Resources, Resources];
  // The one that asked for the metrics may idle still.
  expect(last.sockets).toBeLessThanOrEqual(1);
  expect(last.timers).toBeLessThanOrEqual(idle.timers);
  expect(last.bytes).toBeLessThan(first.bytes * 1.05);
});
