import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../../../test/real-llama-server.ts';
import { json, type Script, scriptedServer } from '../../../../test/scripted-server.ts';
import { failing, hello } from '../upstreams.ts';
import { ask, startReplicas } from './replicas.ts';

const statusesOf = (answers: { status: number }[]) => answers.map(({ status }) => status).sort();

it('a rate is one for all replicas, and each tells what is left of it', async () => {
  const { gateways, upstream } = await startReplicas(hello, { keyLimits: { requestsPerMinute: 10 } });
  const [one, two] = gateways;
  // Windows begin at whole minutes.
  await until(() => Date.now() % 60_000 < 45_000);
  const first = await ask(one);
  expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('9');
  expect((await ask(two)).headers.get('x-ratelimit-remaining-requests')).toBe('8');
  const rest = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(index % 2 ? one : two)));
  expect(statusesOf(rest)).toEqual([...Array(8).fill(200), ...Array(12).fill(429)]);
  const refused = rest.find(({ status }) => status === 429);
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(upstream.seen).toHaveLength(10);
});

it('what one replica has in its cache, the other answers with', async () => {
  const { gateways, upstream } = await startReplicas(hello, { cache: { ttl: 60 } });
  const [one, two] = gateways;
  const asked = { temperature: 0 };
  const miss = await ask(one, asked);
  expect(miss.headers.get('x-gateway-cache')).toBe('miss');
  const hit = await ask(two, asked);
  expect(hit.headers.get('x-gateway-cache')).toBe('hit');
  expect(hit.headers.get('x-gateway-cost-usd')).toBe('0');
  const textOf = ({ body }: { body: string }) => JSON.parse(body).choices[0].message.content;
  expect(textOf(hit)).toBe(textOf(miss));
  expect(upstream.seen).toHaveLength(1);
});

it('a provider that fails one replica is left alone by the other', async () => {
  const spare = await scriptedServer(hello);
  onTestFinished(() => spare.close());
  const { gateways, upstream } = await startReplicas(failing(500), {
    breaker: { failures: 2, open: 60 },
    providers: { spare: { type: 'openai', baseUrl: `${spare.url}/v1`, maxRetries: 0 } },
    models: { fast: { targets: ['up', 'spare'].map(provider => ({ provider, model: 'm' })) } },
  });
  const [one, two] = gateways;
  // One without calls does not look what others have seen.
  for (const gateway of [two, one, one]) expect((await ask(gateway)).status).toBe(200);
  const metrics = async () => (await fetch(`${two.url}/metrics`)).text();
  await until(async () => (await metrics()).includes('gateway_circuit_state{provider="up",state="open"} 1'));
  const answer = await ask(two);
  expect(answer.headers.get('x-gateway-provider')).toBe('spare');
  expect(answer.headers.get('x-gateway-attempts')).toBe('1');
  expect(upstream.seen).toHaveLength(3);
});

it('the slots of a node are counted once for all replicas', async () => {
  let [now, most] = [0, 0];
  const node: Script = async (response, seen) => {
    if (seen.path === '/health') return json(200, { status: 'ok' })(response, seen);
    if (seen.path !== '/v1/chat/completions') return json(404, {})(response, seen);
    most = Math.max(most, ++now);
    await new Promise(resolve => setTimeout(resolve, 200));
    now--;
    return hello(response, seen);
  };
  const server = await scriptedServer(node);
  onTestFinished(() => server.close());
  const { gateways } = await startReplicas(hello, {
    providers: { up: { type: 'llamaserver', nodes: [{ name: 'n', baseUrl: server.url, slots: 1 }] } },
    models: { fast: { targets: [{ provider: 'up' }] } },
  });
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, index) => ask(gateways[index % 2 ? 0 : 1])),
  );
  expect(statusesOf(answers)).toEqual(Array(6).fill(200));
  expect(most).toBe(1);
});
