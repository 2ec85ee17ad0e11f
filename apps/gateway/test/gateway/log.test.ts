import { expect, it, onTestFinished } from 'vitest';
import { json, scriptedServer } from '../../../../test/scripted-server.ts';
import type { Config } from '../../src/config/schema.ts';
import { ADMIN, KEY, type RunningGateway, runGateway } from '../running-gateway.ts';
import { hello } from '../upstreams.ts';

const UPSTREAM_KEY = 'sk-planted-key-of-the-provider';
const WISH = 'a secret wish of the client';

async function gatewayOver(more: Partial<Config> = {}) {
  const quoting = { error: { message: `wrong key ${UPSTREAM_KEY}, or: ${WISH}`, type: 'x', code: null } };
  const upstream = await scriptedServer(
    hello,
    json(401, quoting),
    json(500, quoting),
    json(400, quoting),
    hello,
  );
  onTestFinished(() => upstream.close());
  const up = { type: 'openai', baseUrl: `${upstream.url}/v1`, maxRetries: 0, apiKey: UPSTREAM_KEY } as const;
  const gateway = await runGateway({
    providers: { up },
    models: { fast: { targets: [{ provider: 'up', model: 'm' }] } },
    ...more,
  });
  return gateway;
}

async function call({ url }: RunningGateway, headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: WISH }] }),
  });
  await answer.text();
  return answer.status;
}

const linesOf = (gateway: RunningGateway) => gateway.log().filter(({ requestId }) => requestId !== undefined);

it('neither keys nor prompts nor answers come into the log, at the lowest level and through errors', async () => {
  const gateway = await gatewayOver();
  for (const status of [200, 502, 502, 400]) expect(await call(gateway)).toBe(status);
  expect(await call(gateway, { authorization: 'Bearer xg-planted-key-of-a-stranger' })).toBe(401);
  await gateway.app.reload(gateway.app.runtime.config);
  await gateway.stop();
  const written = JSON.stringify(gateway.log());
  for (const secret of [KEY, ADMIN, UPSTREAM_KEY, 'planted', WISH, 'Hello', 'sha256:'])
    expect(written).not.toContain(secret);
  expect(linesOf(gateway).filter(({ msg }) => msg === 'call failed')).toMatchObject([
    { error: 'auth', upstreamStatus: 401, status: 502 },
    { error: 'backend', upstreamStatus: 500, status: 502 },
    { error: 'invalid_request', upstreamStatus: 400, status: 400 },
  ]);
});

it('a reload turns the access log off and on, and changes the level', async () => {
  const gateway = await gatewayOver({ log: { access: false } });
  await call(gateway);
  expect(linesOf(gateway)).toEqual([]);
  const { config } = gateway.app.runtime;
  await gateway.app.reload({ ...config, log: { access: true, level: 'warn' } });
  await gateway.app.reload({ ...config, log: { access: true, level: 'info' } });
  expect(await call(gateway)).toBe(502);
  expect(linesOf(gateway).at(-1)).toMatchObject({
    msg: 'call failed',
    key: 'client',
    protocol: 'openai-chat',
  });
  await gateway.app.reload({ ...config, log: { level: 'silent' } });
  const before = gateway.log().length;
  expect(await call(gateway)).toBe(502);
  expect(gateway.log()).toHaveLength(before);
});
