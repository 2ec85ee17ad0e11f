// The same faults where no text is made: vectors, and counts of tokens.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { json, type Script } from '../../../../test/scripted-server.ts';
import { call, closedUrl, open } from '../faults/client.ts';
import { billed, type FaultyGateway, gatewayOver, newestRecord, recordOf } from '../faults/gateway.ts';
import { silent, status } from '../faults/upstream.ts';

const PATIENT = { timeout: 5_000, interval: 5 };

const halfOf: Script = response => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"data":[', () => response.socket?.destroySoon());
};
const page: Script = response => {
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end('<p>It works!</p>');
};

/** @param script undefined: nobody listens there */
const rows: { fault: string; script: Script | undefined; status: number; retryAfter?: string }[] = [
  { fault: 'refuses the connection', script: undefined, status: 502 },
  { fault: 'resets', script: response => void response.socket?.resetAndDestroy(), status: 502 },
  { fault: 'answers 429', script: status(429, { 'retry-after': '7' }), status: 429, retryAfter: '7' },
  { fault: 'answers 500', script: status(500), status: 502 },
  { fault: 'says nothing', script: silent, status: 504 },
  { fault: 'answers with a page', script: page, status: 502 },
  { fault: 'breaks its answer off', script: halfOf, status: 502 },
  { fault: 'tells an error as a success', script: json(200, { error: { message: 'no' } }), status: 502 },
  { fault: 'gives what is no answer', script: json(200, { data: 'none' }), status: 502 },
];

describe.each(rows)('an upstream that $fault', ({ script, status, retryAfter }) => {
  it('is an honest error to a client of embeddings', async () => {
    const gateway = await gatewayOver([script ? [script] : await closedUrl()], { timeout: 0.3 });
    const answer = await call(gateway.url, { path: '/v1/embeddings', body: { model: 'fast', input: 'x' } });
    expect([answer.status, answer.headers['retry-after']]).toEqual([status, retryAfter]);
    expect(JSON.parse(answer.text).error.message).toBeTypeOf('string');
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record).toMatchObject({ state: 'failed', status });
    expect(await billed(gateway, record)).toEqual({ prompt: 0, completion: 0, usd: 0 });
  });

  it('is an honest error to a client of count_tokens', async () => {
    const entries = [script ? [script] : await closedUrl()];
    const gateway = await gatewayOver(entries, { type: 'anthropic', timeout: 0.3 });
    const body = { model: 'fast', messages: [{ role: 'user', content: 'x' }] };
    const answer = await call(gateway.url, { path: '/v1/messages/count_tokens', body });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.headers['retry-after']).toBe(retryAfter);
    expect(JSON.parse(answer.text)).toMatchObject({ type: 'error', error: { type: expect.any(String) } });
  });
});

describe('a client that leaves stops the upstream', () => {
  const expectStopped = async ({ upstreams }: FaultyGateway, leave: () => void) => {
    const seen = () => upstreams[0]?.seen ?? [];
    await vi.waitFor(() => expect(seen().length).toBe(1), PATIENT);
    leave();
    await vi.waitFor(() => expect(seen()[0]?.closedEarly).toBe(true), PATIENT);
    await sleep(300);
    expect(seen().length).toBe(1);
  };

  it('of embeddings, and is recorded as stopped', async () => {
    const gateway = await gatewayOver([[silent]], { maxRetries: 2 });
    const { leave } = open(gateway.url, { path: '/v1/embeddings', body: { model: 'fast', input: 'x' } });
    await expectStopped(gateway, leave);
    const record = await newestRecord(gateway);
    expect(record).toMatchObject({ state: 'stopped', status: 499 });
    await billed(gateway, record);
  });

  it('of count_tokens', async () => {
    const gateway = await gatewayOver([[silent]], { type: 'anthropic', maxRetries: 2 });
    const body = { model: 'fast', messages: [{ role: 'user', content: 'x' }] };
    const { leave } = open(gateway.url, { path: '/v1/messages/count_tokens', body });
    await expectStopped(gateway, leave);
  });
});
