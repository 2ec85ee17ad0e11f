import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../../../test/real-llama-server.ts';
import { type Script, scriptedServer } from '../../../../test/scripted-server.ts';
import { hashOf } from '../../src/auth/keys.ts';
import type { Config } from '../../src/config/schema.ts';
import { type GatewayProcess, startGatewayProcess } from '../gateway-process.ts';
import { KEY, TEST_KEYS } from '../running-gateway.ts';
import { delta, hello, usage } from '../upstreams.ts';

const NEW_KEY = 'xg-test-key-after-rotation';
const STREAMS = 50;

interface Reloading {
  gateway: GatewayProcess;
  upstream: Awaited<ReturnType<typeof scriptedServer>>;
  /** Lets the streams that were asked for `held` end. */
  release(): void;
  /** Writes the configuration, changed so, and waits until it is in use. */
  change(edit: (config: Config) => void): Promise<void>;
}

async function start(): Promise<Reloading> {
  let release = () => {};
  const released = new Promise<void>(resolve => {
    release = resolve;
  });
  const script: Script = async (response, seen) => {
    if (!JSON.stringify(seen.body).includes('held')) return hello(response, seen);
    const send = (event: object) => response.write(`data: ${JSON.stringify(event)}\n\n`);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    send(delta({ content: 'before ' }));
    await released;
    for (const event of [delta({ content: 'after' }), delta({}, 'stop'), usage(5, 5)]) send(event);
    response.end('data: [DONE]\n\n');
  };
  const upstream = await scriptedServer(script);
  onTestFinished(() => upstream.close());
  const gateway = await startGatewayProcess({
    providers: { up: { type: 'openai', baseUrl: `${upstream.url}/v1`, maxRetries: 0 } },
    models: { fast: { targets: [{ provider: 'up', model: 'm' }] } },
  });
  const reloads = () =>
    gateway.log().filter(({ msg }) => msg === 'the configuration has been read again').length;
  const change = async (edit: (config: Config) => void) => {
    const before = reloads();
    const config = JSON.parse(readFileSync(gateway.path, 'utf8')) as Config;
    edit(config);
    put(gateway, JSON.stringify(config, null, 2));
    await until(() => reloads() === before + 1);
  };
  return { gateway, upstream, release, change };
}

/** In one step, as editors and Kubernetes do. */
function put({ path }: GatewayProcess, text: string): void {
  writeFileSync(`${path}.next`, text);
  renameSync(`${path}.next`, path);
}

async function ask(
  { url }: GatewayProcess,
  { key = KEY, model = 'fast', words = 'Hi' } = {},
): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: words }] }),
  });
  return { status: answer.status, text: await answer.text() };
}

it('a change under 50 streams holds for new calls at once, and for none that has begun', async () => {
  const { gateway, upstream, release, change } = await start();
  const streams = Array.from({ length: STREAMS }, () => ask(gateway, { words: 'held' }));
  await until(() => upstream.seen.length === STREAMS);
  await change(config => {
    config.keys = TEST_KEYS.map(key => (key.name === 'client' ? { ...key, hash: hashOf(NEW_KEY) } : key));
    config.models = { ...config.models, fresh: { targets: [{ provider: 'up', model: 'm' }] } };
  });
  expect((await ask(gateway)).status).toBe(401);
  expect((await ask(gateway, { key: NEW_KEY, model: 'fresh' })).text).toContain('Hello');
  release();
  for (const { status, text } of await Promise.all(streams)) {
    expect(status).toBe(200);
    expect(text).toMatch(/before .*after.*\[DONE\]\n\n$/s);
  }
});

it('a provider that is the same keeps its connections; one that is not gives them back behind its last call', async () => {
  const { gateway, upstream, release, change } = await start();
  await ask(gateway);
  const [before] = upstream.sockets;
  await change(config => {
    config.defaultModel = 'fast';
  });
  await ask(gateway);
  expect([...upstream.sockets]).toEqual([before]);

  const stream = ask(gateway, { words: 'held' });
  await until(() => upstream.seen.length === 3);
  await change(config => {
    config.providers = { up: { ...config.providers['up'], timeout: 33 } as never };
  });
  expect([...upstream.sockets]).toEqual([before]);
  release();
  expect((await stream).text).toContain('after');
  await until(() => upstream.sockets.size === 0);
});

it('a configuration that is no good is refused with line and reason, and the one before stays', async () => {
  const { gateway } = await start();
  const good = readFileSync(gateway.path, 'utf8');
  put(gateway, good.replace('"openai"', '"openia"'));
  const refusals = () => gateway.log().filter(({ msg }) => String(msg).includes('was refused'));
  await until(() => refusals().length === 1);
  const line = good.split('\n').findIndex(text => text.includes('"openai"')) + 1;
  expect(refusals()[0]).toMatchObject({
    reason: expect.stringMatching(new RegExp(`gateway\\.json:${line}:.*openia`, 's')),
  });
  expect((await ask(gateway)).text).toContain('Hello');
  const metrics = async () => (await fetch(`${gateway.url}/metrics`)).text();
  expect(await metrics()).toContain('gateway_config_reloads_total{outcome="refused"} 1');
  expect(await metrics()).toContain('gateway_config_last_reload_successful 0');

  // As it was, the file is good again.
  put(gateway, good);
  await until(async () => (await metrics()).includes('gateway_config_last_reload_successful 1'));
  gateway.signal('SIGHUP');
  await until(async () => (await metrics()).includes('gateway_config_reloads_total{outcome="ok"} 2'));
  expect(gateway.output()).not.toContain(KEY);
});
