import { afterEach, describe, expect, it } from 'vitest';
import {
  json,
  type Script,
  type ScriptedServer,
  scriptedServer,
} from '../../../../../test/scripted-server.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import { AirframeError } from '../../errors.ts';
import { withRetry } from '../../wrap/retry.ts';
import { endpointAt, infer, KEY, messages, sent } from './__fixtures__/sent.ts';
import { azureOpenAIAdapter } from './index.ts';

const RES = 'https://res.openai.azure.com';
const TOKEN = 'eyJhbGciOi.Zm9vYmFyYmF6.c2lnbmF0dXJl';
const getToken = async () => TOKEN;
const ok = json(200, { choices: [{ message: { content: 'ok' }, finish_reason: 'stop' }] });

const servers: ScriptedServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
async function serve(...scripts: Script[]): Promise<ScriptedServer> {
  const server = await scriptedServer(...scripts);
  servers.push(server);
  return server;
}
function keyless(baseUrl: string, more: Partial<EndpointSpec> = {}): EndpointSpec {
  const { apiKey: _, ...endpoint } = endpointAt(baseUrl, more);
  return endpoint;
}

describe('the credential', () => {
  it('is the key in api-key, and no authorization', async () => {
    const { headers } = await sent(endpointAt(RES));
    expect(headers).toMatchObject({ 'api-key': KEY });
    expect(headers).not.toHaveProperty('authorization');
  });

  it('is the Entra token as Bearer, and no api-key', async () => {
    const { headers } = await sent(keyless(RES), {}, { getToken });
    expect(headers).toMatchObject({ authorization: `Bearer ${TOKEN}` });
    expect(headers).not.toHaveProperty('api-key');
  });

  it('is never both: an endpoint with a key asks for no token', async () => {
    let asked = 0;
    const { headers } = await sent(endpointAt(RES), {}, { getToken: async () => `t${asked++}` });
    expect(asked).toBe(0);
    expect(headers).not.toHaveProperty('authorization');
  });

  it('may be a header of the endpoint, in any case, and then stands alone', async () => {
    const headers = { 'API-Key': 'other' };
    const own = await sent(keyless(RES, { headers }), {}, { getToken });
    expect(own.headers).toMatchObject({ 'API-Key': 'other' });
    expect(own.headers).not.toHaveProperty('authorization');
    expect(await sent(endpointAt(RES, { headers }))).toMatchObject({
      url: undefined,
      error: { code: 'configuration', message: expect.stringContaining('one of the two') },
    });
  });

  it('missing is an auth error that names the remedy, and nothing is sent', async () => {
    const { url, error } = await sent(keyless(RES));
    expect(url).toBeUndefined();
    expect(error).toMatchObject({ category: 'auth', retryable: false });
    expect(error?.message).toMatch(/endpoint az has nothing to show.*set apiKey, or give .* a getToken/);
  });
});

describe('the token', () => {
  it('is asked for with the scope, which can be set', async () => {
    const scopes: string[] = [];
    const note = async (scope: string) => {
      scopes.push(scope);
      return TOKEN;
    };
    await sent(keyless(RES), {}, { getToken: note });
    const scope = 'https://cognitiveservices.azure.com/.default';
    await sent(keyless(RES, { options: { scope } }), {}, { getToken: note });
    expect(scopes).toEqual(['https://ai.azure.com/.default', scope]);
  });

  it('is asked for before every attempt: one that expired is not used again', async () => {
    let asked = 0;
    const server = await serve(json(503, {}), ok);
    const fresh = async () => `token-number-${++asked}`;
    const adapter = withRetry(azureOpenAIAdapter({ getToken: fresh }), { baseDelayMs: 1 });
    for await (const _ of adapter.streamInfer(keyless(server.url), { messages }));
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-number-1',
      'Bearer token-number-2',
    ]);
  });

  it('is in no error, also when the backend echoes it', async () => {
    const server = await serve(json(401, { error: { code: '401', message: `bad ${TOKEN} here` } }));
    const { error } = await infer(keyless(server.url), {}, { getToken });
    expect(error).toMatchObject({ category: 'auth', raw: expect.stringContaining('bad *** here') });
    expect(`${JSON.stringify(error)}${error?.message}${error?.stack}`).not.toContain(TOKEN);
    const report = await azureOpenAIAdapter({ getToken }).health(keyless(server.url));
    expect(report.reason).toMatch(/bad \*\*\* here; check the tenant and .* scope https:\/\/ai.azure.com/);
  });

  it('that cannot be had is an auth error with the reason', async () => {
    const fails = async () => Promise.reject(new Error('no managed identity'));
    expect((await sent(keyless(RES), {}, { getToken: fails })).error).toMatchObject({
      category: 'auth',
      message: expect.stringMatching(/scope https:\/\/ai.azure.com\/.default: no managed identity/),
    });
    const knows = async () => Promise.reject(new AirframeError('overloaded', 'IMDS is busy'));
    expect((await sent(keyless(RES), {}, { getToken: knows })).error).toMatchObject({ retryable: true });
  });

  it.each([['with\r\nnewline'], [''], [`Bearer ${TOKEN}`]])('%j is refused and not shown', async token => {
    const { url, error } = await sent(keyless(RES), {}, { getToken: async () => token });
    expect(url).toBeUndefined();
    expect(error).toMatchObject({ category: 'auth', message: expect.stringContaining('bare token') });
    expect(error?.message).not.toContain(TOKEN);
  });

  it('that never comes ends with the call’s deadline, in health too', async () => {
    const stuck = azureOpenAIAdapter({ getToken: () => new Promise(() => {}) });
    const report = await stuck.health(keyless(RES), { timeouts: { totalMs: 20 } });
    expect(report).toMatchObject({ state: 'unhealthy', reason: expect.stringContaining('totalMs') });
    const endpoint = keyless(RES, { timeouts: { totalMs: 20 } });
    const { error } = await infer(endpoint, {}, { getToken: () => new Promise(() => {}) });
    expect(error).toMatchObject({ category: 'timeout', code: 'total_timeout' });
  });
});

describe('a redirect', () => {
  it.each([301, 302, 307, 308])('%i with an api-key sends nothing to its target', async status => {
    const target = await serve(ok);
    const server = await serve(response => {
      response.writeHead(status, { location: `${target.url}/openai/v1/chat/completions` }).end();
    });
    const { error } = await infer(endpointAt(server.url));
    expect(error).toMatchObject({ category: 'not_found', status, retryable: false });
    expect(await azureOpenAIAdapter().health(endpointAt(server.url))).toMatchObject({ state: 'unhealthy' });
    expect(server.seen).toMatchObject([{ headers: { 'api-key': KEY } }, { headers: { 'api-key': KEY } }]);
    expect(target.seen).toHaveLength(0);
  });
});

describe('health', () => {
  it.each([
    ['v1', {}, '/openai/v1/models'],
    ['deployments', { apiVersion: '2024-10-21' }, '/openai/models?api-version=2024-10-21'],
    ['models', {}, '/models/info?api-version=2024-05-01-preview'],
  ])('of %s asks with the key, and needs no deployment', async (family, options, path) => {
    const server = await serve(json(200, { data: [] }));
    const { model: _, ...endpoint } = endpointAt(server.url, { options: { ...options, family } });
    expect(await azureOpenAIAdapter().health(endpoint)).toMatchObject({ state: 'healthy' });
    expect(server.seen).toMatchObject([{ method: 'GET', path, headers: { 'api-key': KEY } }]);
  });

  it('says what is wrong with the key', async () => {
    const server = await serve(json(401, { statusCode: 401, message: 'invalid subscription key' }));
    expect(await azureOpenAIAdapter().health(endpointAt(server.url))).toMatchObject({
      state: 'unhealthy',
      reason: expect.stringMatching(/invalid subscription key; check that apiKey is a key of this very/),
    });
    expect(await azureOpenAIAdapter().health(keyless(server.url))).toMatchObject({
      reason: expect.stringContaining('set apiKey'),
    });
  });
});
