import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ensurePrometheus } from '../../../../scripts/prometheus.mjs';
import { until } from '../../../../test/real-llama-server.ts';
import { startPrometheus } from '../../../../test/real-prometheus.ts';
import { type Script, type ScriptedServer, scriptedServer, sse } from '../../../../test/scripted-server.ts';
import type { Config } from '../../src/config/schema.ts';
import { ADMIN, KEY, type RunningGateway, runGateway, TEST_KEYS } from '../running-gateway.ts';
import { delta, failing, hello } from '../upstreams.ts';

/** Of `hello`: 12 prompt and 2 completion tokens. */
const USD_A_CALL = 0.016;

async function upstream(...scripts: Script[]): Promise<ScriptedServer> {
  const server = await scriptedServer(...scripts);
  onTestFinished(() => server.close());
  return server;
}

/** Two providers: `up` as scripted, `spare`, which is always well; all of it with a price. */
async function gatewayOver(scripts: Script[], more: Partial<Config> = {}): Promise<RunningGateway> {
  const [up, spare] = [await upstream(...scripts), await upstream(hello)];
  return runGateway({
    providers: {
      up: { type: 'openai', baseUrl: `${up.url}/v1`, maxRetries: 0 },
      spare: { type: 'openai', baseUrl: `${spare.url}/v1`, maxRetries: 0 },
      boxes: { type: 'llamaserver', nodes: [{ name: 'n1', baseUrl: 'http://127.0.0.1:1', slots: 2 }] },
    },
    models: {
      fast: { targets: [{ provider: 'up', model: 'm' }] },
      flaky: { targets: [{ provider: 'up', model: 'm' }] },
      safe: {
        targets: [
          { provider: 'up', model: 'm' },
          { provider: 'spare', model: 'm' },
        ],
      },
    },
    prices: { openai: { m: { prompt: 1, completion: 2 } } },
    ...more,
  });
}

function ask(gateway: RunningGateway, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}`, ...headers },
    body: JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: 'Hi' }], ...body }),
  });
}

/** Asks and reads the answer to its end. */
async function call(...args: Parameters<typeof ask>): Promise<number> {
  const response = await ask(...args);
  // A broken answer breaks off here as well.
  await response.text().catch(() => {});
  return response.status;
}

async function metricsOf(gateway: RunningGateway): Promise<string> {
  return (await fetch(`${gateway.url}/metrics`)).text();
}

/** What promtool has to say of it, and its exit code. */
async function promtool(text: string): Promise<{ code: number; output: string }> {
  const child = spawn((await ensurePrometheus()).promtool, ['check', 'metrics']);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk));
  child.stdin.end(text);
  const [code] = await once(child, 'close');
  return { code, output };
}

describe('/metrics', () => {
  it('passes promtool, with every kind of metric in it', async () => {
    const gateway = await gatewayOver([hello, failing(500), failing(500)], {
      cache: { ttl: 60 },
      limits: [{ name: 'all', scope: 'all', window: 'day', usd: 1 }],
    });
    await call(gateway, {});
    await call(gateway, { temperature: 1 });
    await call(gateway, { model: 'safe', temperature: 1 });
    await call(gateway, {}, { authorization: 'Bearer nobody' });
    gateway.app.reloadRefused();
    const text = await metricsOf(gateway);
    expect(await promtool(text)).toEqual({ code: 0, output: '' });
    expect(text).toContain('gateway_node_slots{provider="boxes",node="n1"} 2');
    expect(text).toContain('gateway_circuit_state{provider="up",state="closed"} 1');
  });

  it('gains no series by what clients make up', async () => {
    const gateway = await gatewayOver([hello]);
    const seriesNow = async () =>
      (await metricsOf(gateway)).split('\n').filter(line => line.startsWith('gateway_'));
    const madeUp = async (name: string) => {
      await call(gateway, {}, { 'x-gateway-agent': name, 'x-gateway-tags': name });
      await call(gateway, { model: name });
      await call(gateway, {}, { authorization: `Bearer ${name}` });
      await fetch(`${gateway.url}/${name}`);
    };
    await madeUp('first');
    const before = await seriesNow();
    for (let index = 0; index < 10; index++) await madeUp(`name-${index}`);
    expect(await seriesNow()).toHaveLength(before.length);
  });

  it('goes by the address it listens on, whatever a later configuration says', async () => {
    const gateway = await gatewayOver([hello]);
    const { config } = gateway.app.runtime;
    await gateway.app.reload({ ...config, server: { ...config.server, host: '0.0.0.0' } });
    expect((await fetch(`${gateway.url}/metrics`)).status).toBe(200);
  });

  it('asks for an admin key unless it is public', async () => {
    const gateway = await gatewayOver([hello], { metrics: { public: false } });
    const statusWith = async (headers: Record<string, string>) =>
      (await fetch(`${gateway.url}/metrics`, { headers })).status;
    expect(await statusWith({})).toBe(401);
    expect(await statusWith({ authorization: `Bearer ${KEY}` })).toBe(403);
    expect(await statusWith({ authorization: `Bearer ${ADMIN}` })).toBe(200);
  });

  it('tells how far limits are used while their store is away, of none then, and of all else', async () => {
    const gateway = await gatewayOver([hello], {
      keys: TEST_KEYS.map(key => ({ ...key, usdPerDay: 1 })),
      limits: [{ name: 'agents', scope: 'agent', window: 'day', usd: 1 }],
    });
    await call(gateway, {});
    const { limiter } = gateway.app.runtime;
    const ratios = async () =>
      (await metricsOf(gateway)).split('\n').filter(line => line.startsWith('gateway_limit_used_ratio{'));
    expect(await ratios()).toEqual([
      'gateway_limit_used_ratio{rule="key:client:day",unit="usd"} 0.016',
      'gateway_limit_used_ratio{rule="key:admin:day",unit="usd"} 0',
    ]);
    limiter.usage = () => Promise.reject(new Error('away'));
    expect(await ratios()).toEqual([]);
    expect(await metricsOf(gateway)).toContain('gateway_requests_total{');
  });
});

describe('a real Prometheus', () => {
  it.for([
    ['with an admin key, where metrics are not public', false],
    ['without a key, where they are', true],
  ] as const)('sees what was done, %s', async ([, isPublic]) => {
    let release = () => {};
    const held: Script = response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${JSON.stringify(delta({ content: 'Hello' }))}\n\n`);
      release = () => response.end();
    };
    const scripts = [
      hello,
      hello,
      hello,
      failing(500),
      failing(429),
      sse([delta({ content: 'half' })]),
      held,
    ];
    const gateway = await gatewayOver(scripts, {
      metrics: { public: isPublic },
      keys: TEST_KEYS.map(key => ({ ...key, usdPerDay: 0.1 })),
      breaker: { failures: 100 },
    });
    const prometheus = await startPrometheus([
      { name: 'gateway', url: gateway.url, ...(isPublic ? {} : { key: ADMIN }) },
    ]);
    onTestFinished(() => prometheus.stop());

    for (const stream of [true, true, false]) expect(await call(gateway, { stream })).toBe(200);
    expect(await call(gateway, {})).toBe(502);
    expect(await call(gateway, { model: 'safe' })).toBe(200);
    expect(await call(gateway, { model: 'flaky', stream: true })).toBe(200);
    expect(await call(gateway, { model: 'nothing' })).toBe(404);
    expect(await call(gateway, {}, { authorization: 'Bearer nobody' })).toBe(401);
    const running = await ask(gateway, { stream: true });

    await until(async () => (await prometheus.query('gateway_requests_in_flight'))['{}'] === 1);
    expect(await prometheus.query('sum by (outcome) (gateway_requests_total)')).toEqual({
      '{outcome="succeeded"}': 4,
      '{outcome="failed"}': 2,
    });
    expect(await prometheus.query('sum by (category) (gateway_errors_total) > 0')).toEqual({
      '{category="backend"}': 1,
      '{category="connection"}': 1,
    });
    expect(await prometheus.query('gateway_refused_requests_total')).toEqual({
      '{reason="model_not_found"}': 1,
      '{reason="invalid_api_key"}': 1,
    });
    expect(await prometheus.query('sum by (provider) (gateway_fallbacks_total)')).toEqual({
      '{provider="spare"}': 1,
    });
    expect(await prometheus.query('sum by (provider, outcome) (gateway_attempts_total)')).toEqual({
      '{outcome="ok",provider="up"}': 3,
      '{outcome="backend",provider="up"}': 2,
      '{outcome="connection",provider="up"}': 1,
      '{outcome="ok",provider="spare"}': 1,
    });
    // What an answer that broke off has used is an estimate.
    const tokens = await prometheus.query('sum by (kind) (gateway_tokens_total{model!="flaky"})');
    expect(tokens).toEqual({ '{kind="prompt"}': 4 * 12, '{kind="completion"}': 4 * 2 });
    const spent = await prometheus.query('sum by (key) (gateway_cost_usd_total{model!="flaky"})');
    expect(spent['{key="client"}']).toBeCloseTo(4 * USD_A_CALL, 9);
    const used = await prometheus.query('gateway_limit_used_ratio{rule="key:client:day"}');
    expect(Object.keys(used)).toEqual(['{rule="key:client:day",unit="usd"}']);
    expect(await prometheus.query('gateway_build_info')).toEqual({ '{version="test"}': 1 });
    expect(await prometheus.query('gateway_request_duration_seconds_count')).toEqual({
      '{protocol="openai-chat"}': 4,
    });

    release();
    await running.text().catch(() => {});
    await until(async () => (await prometheus.query('gateway_requests_in_flight'))['{}'] === 0);
  });
});
