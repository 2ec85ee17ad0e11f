import { afterEach, describe, expect, it } from 'vitest';
import {
  json,
  type Script,
  type ScriptedServer,
  scriptedServer,
  sse,
} from '../../../../../test/scripted-server.ts';
import { collect, type InferenceResult } from '../../collect.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import { withRetry } from '../../wrap/retry.ts';
import { openAIChatAdapter } from './index.ts';

const adapter = openAIChatAdapter();
const retrying = withRetry(adapter, { baseDelayMs: 1, maxRetries: 1 });
const messages = [{ role: 'user' as const, content: 'hi' }];
const good = sse([{ choices: [{ index: 0, delta: { content: 'a' }, finish_reason: 'stop' }] }, '[DONE]']);
const wire = (code: string | null = null) => ({ error: { message: 'why', type: null, param: null, code } });

const servers: ScriptedServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(...scripts: Script[]): Promise<ScriptedServer> {
  const server = await scriptedServer(...scripts);
  servers.push(server);
  return server;
}

function infer(
  server: ScriptedServer,
  more: Partial<EndpointSpec> = {},
  by = adapter,
): Promise<InferenceResult> {
  const endpoint = { name: 'chat', backendKind: 'openai_chat', baseUrl: `${server.url}/v1`, ...more };
  return collect(by.streamInfer(endpoint, { messages }), { throwOnError: false });
}

describe('an odd status', () => {
  it.each([
    ['402, no credits (OpenRouter, DeepSeek)', 402, 'quota', false],
    ['408', 408, 'timeout', true],
    ['409, a conflict', 409, 'backend', true],
    ['413', 413, 'context_length', false],
    ['422', 422, 'invalid_request', false],
    ['424, what the call depended on failed', 424, 'backend', false],
    ['498, no capacity (Groq, flex)', 498, 'overloaded', true],
    ['499, cancelled (Groq)', 499, 'backend', false],
    ['501, not implemented', 501, 'backend', false],
    ['502, the provider behind failed (OpenRouter)', 502, 'overloaded', true],
    ['503, no provider (OpenRouter)', 503, 'overloaded', true],
    ['504', 504, 'timeout', true],
    ['521 and the like of a proxy', 521, 'backend', true],
    ['529, overloaded', 529, 'overloaded', true],
  ])('%s', async (_name, status, category, retryable) => {
    const { error } = await infer(await serve(json(status, wire())));
    expect(error).toMatchObject({ category, retryable, status });
  });

  it('500 with plain text is an error that quotes it', async () => {
    const server = await serve(response => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end('proxy error: no upstream');
    });
    expect((await infer(server)).error).toMatchObject({
      category: 'backend',
      message: expect.stringContaining('proxy error: no upstream'),
    });
  });
});

describe('another try', () => {
  it.each([
    ['429 insufficient_quota', 429, 'insufficient_quota', 1],
    ['429 credit_balance_exhausted', 429, 'credit_balance_exhausted', 1],
    ['429 rate_limit_exceeded', 429, 'rate_limit_exceeded', 2],
    ['429 slow_down', 429, 'slow_down', 2],
    ['413 rate_limit_exceeded (Groq: more tokens at once than a minute has)', 413, 'rate_limit_exceeded', 1],
    ['400 context_length_exceeded', 400, 'context_length_exceeded', 1],
    ['400 tool_use_failed (Groq), which a re-run may not repeat', 400, 'tool_use_failed', 2],
    ['503 server_is_overloaded', 503, 'server_is_overloaded', 2],
  ])('after %s', async (_name, status, code, tries) => {
    const server = await serve(json(status, wire(code)), good);
    await infer(server, {}, retrying);
    expect(server.seen).toHaveLength(tries);
  });

  it.each([
    ['x-should-retry: true on a 400', 400, { 'x-should-retry': 'true' }, 2],
    ['x-should-retry: false on a 503', 503, { 'x-should-retry': 'false' }, 1],
    ['retry-after-ms ahead of retry-after', 429, { 'retry-after-ms': '1', 'retry-after': '50' }, 2],
    ['retry-after as an HTTP date', 429, { 'retry-after': 'Sun, 01 Nov 2020 00:00:30 GMT' }, 2],
    ['retry-after longer than anyone waits', 429, { 'retry-after': '3600' }, 1],
  ])('with %s', async (_name, status, headers, tries) => {
    const server = await serve(json(status, wire(), headers as Record<string, string>), good);
    await infer(server, {}, retrying);
    expect(server.seen).toHaveLength(tries);
  });

  it('comes after keep-alive comments that end with nothing begun (DeepSeek after 10 minutes)', async () => {
    const waiting: Script = response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(': keep-alive\n\n: keep-alive\n\n');
    };
    const server = await serve(waiting, good);
    expect(await infer(server, {}, retrying)).toMatchObject({
      text: 'a',
      attempts: [{ outcome: 'connection' }, { outcome: 'ok' }],
    });
  });

  it('does not come once text has come', async () => {
    const server = await serve(
      sse([{ choices: [{ delta: { content: 'Hel' } }] }, wire('rate_limit_exceeded')]),
    );
    expect(await infer(server, {}, retrying)).toMatchObject({ text: 'Hel', error: { retryable: true } });
    expect(server.seen).toHaveLength(1);
  });
});

describe('the headers', () => {
  it.each([301, 302, 307, 308])('a redirect %i is never followed with the key', async status => {
    const target = await serve(good);
    const server = await serve(response => {
      response.writeHead(status, { location: `${target.url}/v1/chat/completions` }).end();
    });
    expect((await infer(server, { apiKey: 'hunter2hunter2' })).error).toMatchObject({
      category: 'not_found',
    });
    expect(target.seen).toHaveLength(0);
  });

  it.each(['x-request-id', 'x-generation-id'])('%s is the id of the request', async header => {
    const server = await serve(json(503, wire(), { [header]: 'gen-1' }));
    expect((await infer(server)).error).toMatchObject({ requestId: 'gen-1' });
  });

  it('of the endpoint go along (OpenRouter’s HTTP-Referer and X-OpenRouter-Title)', async () => {
    const server = await serve(good);
    const headers = { 'HTTP-Referer': 'https://app.example', 'X-OpenRouter-Title': 'App' };
    await infer(server, { headers });
    expect(server.seen[0]?.headers).toMatchObject({
      'http-referer': 'https://app.example',
      'x-openrouter-title': 'App',
    });
  });
});

describe('patience', () => {
  it('a silent load of the model (Ollama, LM Studio) is waited for', async () => {
    const server = await serve(response => {
      setTimeout(() => good(response, {} as never), 50);
    });
    expect(await infer(server, { timeouts: { idleMs: 20 } })).toMatchObject({ text: 'a' });
  });
});
