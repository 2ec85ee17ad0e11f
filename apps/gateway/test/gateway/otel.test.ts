import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../../../../test/real-llama-server.ts';
import { json, type Script, type ScriptedServer, scriptedServer } from '../../../../test/scripted-server.ts';
import { type GatewayProcess, startGatewayProcess } from '../gateway-process.ts';
import { KEY } from '../running-gateway.ts';
import { hello } from '../upstreams.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

/** As much of OTLP's JSON encoding (opentelemetry-proto 1.x) as is looked at. */
interface OtlpSpan {
  name: string;
  /** 1: internal, an operation. 3: client, an attempt. */
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
}
interface Traces {
  resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[];
}

async function server(...scripts: Script[]): Promise<ScriptedServer> {
  const scripted = await scriptedServer(...scripts);
  onTestFinished(() => scripted.close());
  return scripted;
}

function start(upstream: ScriptedServer, collector: string, env: Record<string, string> = {}) {
  const short = { OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_METRIC_EXPORT_INTERVAL: '500' };
  return startGatewayProcess(
    {
      providers: { up: { type: 'openai', baseUrl: `${upstream.url}/v1`, maxRetries: 0 } },
      models: { fast: { targets: [{ provider: 'up', model: 'm' }] } },
    },
    { OTEL_EXPORTER_OTLP_ENDPOINT: collector, ...short, ...env },
  );
}

async function call({ url }: GatewayProcess, headers: Record<string, string> = {}): Promise<void> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      model: 'fast',
      stream: true,
      messages: [{ role: 'user', content: 'a secret wish' }],
    }),
  });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('Hello');
}

const spansAt = (collector: ScriptedServer): OtlpSpan[] =>
  collector.seen
    .filter(({ path }) => path === '/v1/traces')
    .flatMap(({ body }) => (body as Traces).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));

describe('with OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  it('a call is part of its client’s trace, and so is what the upstream is asked', async () => {
    const [upstream, collector] = [await server(hello), await server(json(200, {}))];
    const gateway = await start(upstream, collector.url);
    await call(gateway, { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'vendor=value' });
    await until(() => spansAt(collector).length === 2);
    const [attempt, operation] = spansAt(collector).sort((a, b) => b.kind - a.kind);
    expect(operation).toMatchObject({ kind: 1, traceId: TRACE, parentSpanId: SPAN });
    expect(attempt).toMatchObject({ kind: 3, traceId: TRACE, parentSpanId: operation?.spanId });
    expect(upstream.seen[0]?.headers).toMatchObject({
      traceparent: `00-${TRACE}-${attempt?.spanId}-01`,
      tracestate: 'vendor=value',
    });
  });

  it('metrics arrive, and who sent them; no prompt and no answer does', async () => {
    const [upstream, collector] = [await server(hello), await server(json(200, {}))];
    const gateway = await start(upstream, collector.url, { OTEL_RESOURCE_ATTRIBUTES: 'team=blue' });
    await call(gateway);
    const metrics = () => collector.seen.filter(({ path }) => path === '/v1/metrics');
    await until(() => JSON.stringify(metrics()).includes('gen_ai.client.token.usage'));
    await until(() => spansAt(collector).length === 2);
    const sent = JSON.stringify(collector.seen.map(({ body }) => body));
    for (const known of ['airframe-gateway', 'service.instance.id', 'blue']) expect(sent).toContain(known);
    for (const content of ['a secret wish', 'Hello', KEY]) expect(sent).not.toContain(content);
  });

  it('what is not sent yet is sent at the end', async () => {
    const [upstream, collector] = [await server(hello), await server(json(200, {}))];
    const gateway = await start(upstream, collector.url, { OTEL_BSP_SCHEDULE_DELAY: '600000' });
    await call(gateway);
    expect(spansAt(collector)).toEqual([]);
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toBe(0);
    expect(spansAt(collector)).toHaveLength(2);
  });

  it('a collector that goes away and comes back is a line each in the log', async () => {
    const collector = await server(json(400, {}), json(400, {}), json(200, {}));
    const gateway = await start(await server(hello), collector.url, { OTEL_METRICS_EXPORTER: 'none' });
    for (let posts = 1; posts <= 3; posts++) {
      await call(gateway);
      await until(() => collector.seen.length === posts);
    }
    const told = () => gateway.log().flatMap(({ msg }) => (String(msg).includes('sent') ? [msg] : []));
    await until(() => told().length === 2);
    expect(told()).toEqual(['spans cannot be sent; those of this time are lost', 'spans are sent again']);
  });

  it.for([
    ['refuses', (): string => 'http://127.0.0.1:1'],
    ['never answers', async () => (await server(() => {})).url],
  ] as const)('a collector that %s changes nothing, and does not hold up the end', async ([, collector]) => {
    const gateway = await start(await server(hello), await collector());
    await call(gateway);
    const began = performance.now();
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toBe(0);
    expect(performance.now() - began).toBeLessThan(8_000);
  });
});
