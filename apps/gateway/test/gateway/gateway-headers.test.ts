import { expect, it, onTestFinished } from 'vitest';
import { scriptedServer, sse } from '../../../../test/scripted-server.ts';
import { KEY, runGateway } from '../running-gateway.ts';
import { delta, hello, usage } from '../upstreams.ts';

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

it('an empty stream tells of one try, whose end is known when its headers are sent', async () => {
  const empty = sse([delta({ role: 'assistant', content: '' }), delta({}, 'stop'), usage(5, 0), '[DONE]']);
  const upstream = await scriptedServer(empty);
  onTestFinished(() => upstream.close());
  const gateway = await runGateway({
    providers: { up: { type: 'openai', baseUrl: `${upstream.url}/v1` } },
    models: { fast: { targets: [{ provider: 'up', model: 'm' }] } },
  });
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'fast', stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
  });
  await answer.text();
  expect(answer.headers.get('x-gateway-attempts')).toBe('1');
});
