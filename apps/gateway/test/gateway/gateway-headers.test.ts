import { expect, it, onTestFinished } from 'vitest';
import { scriptedServer } from '../../../../test/scripted-server.ts';
import { KEY, runGateway } from '../running-gateway.ts';
import { hello } from '../upstreams.ts';

it.for<[string, string, string]>([
  ['x-gateway-timeout', 'soon', 'give seconds above 0'],
  ['x-gateway-agent', 'an agent', 'use up to 64 letters'],
  ['x-gateway-tags', 'a,,b', 'give up to 16 names'],
])('a %s that makes no sense is refused, with what to do', async ([name, value, remedy]) => {
  const upstream = await scriptedServer(hello);
  onTestFinished(() => upstream.close());
  const gateway = await runGateway({
    providers: { up: { type: 'openai', baseUrl: `${upstream.url}/v1` } },
    models: { fast: { targets: [{ provider: 'up', model: 'm' }] } },
  });
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', [name]: value },
    body: JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: 'Hi' }] }),
  });
  expect(answer.status).toBe(400);
  const { error } = (await answer.json()) as { error: { message: string } };
  expect(error.message).toContain(name);
  expect(error.message).toContain(remedy);
  expect(upstream.seen).toHaveLength(0);
});
