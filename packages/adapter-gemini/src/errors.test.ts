import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { json, sse } from '../../../test/scripted-server.ts';
import { answer, infer, serving } from './__fixtures__/served.ts';

const { seen, serve } = serving();

const wire = (code: number, status: string, message = 'why', ...details: object[]) => ({
  error: { code, message, status, details },
});
const info = (reason: string) => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason,
  domain: 'googleapis.com',
});
const retryIn = (retryDelay: string) => ({
  '@type': 'type.googleapis.com/google.rpc.RetryInfo',
  retryDelay,
});
const quota = (period: string) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [{ quotaId: `GenerateRequestsPer${period}PerProjectPerModel-FreeTier` }],
});

describe('an error answer', () => {
  it.each([
    [400, 'INVALID_ARGUMENT', { category: 'invalid_request', retryable: false }],
    [400, 'FAILED_PRECONDITION', { category: 'invalid_request', retryable: false }],
    [401, 'UNAUTHENTICATED', { category: 'auth', retryable: false }],
    [403, 'PERMISSION_DENIED', { category: 'auth', retryable: false }],
    [404, 'NOT_FOUND', { category: 'not_found', retryable: false }],
    [429, 'RESOURCE_EXHAUSTED', { category: 'rate_limit', retryable: true }],
    [499, 'CANCELLED', { category: 'backend', retryable: true }],
    [500, 'INTERNAL', { category: 'backend', retryable: true }],
    [503, 'UNAVAILABLE', { category: 'overloaded', retryable: true }],
    [504, 'DEADLINE_EXCEEDED', { category: 'timeout', retryable: true }],
    // By the HTTP status, when the word is new.
    [429, 'TEA_TIME', { category: 'rate_limit', retryable: true }],
  ])('%i %s has its category', async (status, code, expected) => {
    const endpoint = await serve(json(status, wire(status, code)));
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'error',
      error: { ...expected, status, code, message: expect.stringContaining(`answered ${status}: why`) },
    });
    expect(seen()).toHaveLength(1);
  });

  it('may be the first of a list, as streams without alt=sse have it', async () => {
    const endpoint = await serve(json(503, [wire(503, 'UNAVAILABLE', 'The model is overloaded.')]));
    expect(await infer(endpoint)).toMatchObject({ error: { category: 'overloaded', code: 'UNAVAILABLE' } });
  });

  it('of the front end is no JSON, and may pass', async () => {
    const endpoint = await serve(response => {
      response.writeHead(500, { 'content-type': 'text/html' });
      response.end('<html>Error 500</html>');
    });
    expect(await infer(endpoint)).toMatchObject({ error: { category: 'backend', retryable: true } });
  });

  it.each(['API_KEY_INVALID', 'API_KEY_SERVICE_BLOCKED'])('of status 400 with %s is auth', async reason => {
    const endpoint = await serve(json(400, wire(400, 'INVALID_ARGUMENT', 'API key', info(reason))));
    expect(await infer(endpoint)).toMatchObject({ error: { category: 'auth', code: reason } });
  });

  it('tells how long to wait', async () => {
    const error = wire(429, 'RESOURCE_EXHAUSTED', 'quota', quota('Minute'), retryIn('34.0748s'));
    expect(await infer(await serve(json(429, error)))).toMatchObject({
      error: { category: 'rate_limit', retryable: true, retryAfterMs: 34_075 },
    });
  });

  it('tells the wait by the header first, and not at all when it cannot be read', async () => {
    const error = wire(429, 'RESOURCE_EXHAUSTED', 'quota', retryIn('soon'));
    expect((await infer(await serve(json(429, error)))).error?.retryAfterMs).toBeUndefined();
    const both = json(429, wire(429, 'RESOURCE_EXHAUSTED', '', retryIn('9s')), { 'retry-after': '2' });
    expect((await infer(await serve(both))).error?.retryAfterMs).toBe(2000);
  });

  it('is quota, and not worth a retry, when the day is used up or the money', async () => {
    const day = wire(429, 'RESOURCE_EXHAUSTED', 'quota', quota('Minute'), quota('Day'), retryIn('38s'));
    const money = wire(429, 'RESOURCE_EXHAUSTED', 'Your prepayment credits are depleted. Please go to …');
    for (const error of [day, money]) {
      expect(await infer(await serve(json(429, error)))).toMatchObject({
        error: { category: 'quota', retryable: false },
      });
    }
  });

  it.each([
    ['The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).', 1_200_293],
    ['The input token count exceeds the maximum number of tokens allowed 1048576.', undefined],
  ])('tells a prompt that is too long by its text: %s', async (message, promptTokens) => {
    const endpoint = await serve(json(400, wire(400, 'INVALID_ARGUMENT', message)));
    expect((await infer(endpoint)).error).toMatchObject({
      category: 'context_length',
      promptTokens,
      contextTokens: 1_048_576,
    });
  });

  it('tells a body that is too large by its text', async () => {
    const message = 'Request payload size exceeds the limit: 20971520 bytes.';
    const endpoint = await serve(json(400, wire(400, 'INVALID_ARGUMENT', message)));
    expect(await infer(endpoint)).toMatchObject({ error: { category: 'context_length' } });
  });

  it('shows no key, however it is echoed', async () => {
    const message = 'bad key hunter2hunter2 or AIzaSyAabcdefghijklmnopqrst';
    const endpoint = await serve(json(400, wire(400, 'INVALID_ARGUMENT', message)));
    const { error } = await infer({ ...endpoint, apiKey: 'hunter2hunter2' });
    expect(error?.message).toContain('bad key *** or ***');
    expect(JSON.stringify({ ...error })).not.toMatch(/hunter2|AIza/);
  });
});

describe('an error in mid-stream', () => {
  it.each([
    [wire(503, 'UNAVAILABLE'), { category: 'overloaded', code: 'UNAVAILABLE', retryable: true }],
    [[wire(500, 'INTERNAL')], { category: 'backend', code: 'INTERNAL', retryable: true }],
    [wire(429, 'RESOURCE_EXHAUSTED', 'why', retryIn('2s')), { category: 'rate_limit', retryAfterMs: 2000 }],
    [{ error: { details: null } }, { category: 'backend', retryable: false }],
  ])('has its category, after the text that came: %#', async (event, expected) => {
    const usageMetadata = { promptTokenCount: 12, candidatesTokenCount: 1 };
    const endpoint = await serve(sse([answer([{ text: 'Hel' }], undefined, { usageMetadata }), event]));
    expect(await infer(endpoint)).toMatchObject({
      text: 'Hel',
      finishReason: 'error',
      error: expected,
      usage: { promptTokens: 12, completionTokens: 1 },
    });
  });

  it('counts also when it stands in the stream as plain JSON', async () => {
    const endpoint = await serve(async (response, request) => {
      await sse([answer([{ text: 'Hel' }])], { end: false })(response, request);
      response.end(JSON.stringify(wire(503, 'UNAVAILABLE', 'high demand'), null, 2));
    });
    expect(await infer(endpoint)).toMatchObject({
      text: 'Hel',
      finishReason: 'error',
      error: { category: 'overloaded', message: expect.stringContaining('high demand') },
    });
  });

  it('is an error inside a 200 answer too', async () => {
    const endpoint = await serve(json(200, wire(503, 'UNAVAILABLE')));
    expect(await infer(endpoint, { stream: false })).toMatchObject({ error: { category: 'overloaded' } });
  });

  it('shows no key', async () => {
    const endpoint = await serve(sse([wire(400, 'INVALID_ARGUMENT', 'bad key hunter2hunter2')]));
    const { error } = await infer({ ...endpoint, apiKey: 'hunter2hunter2' });
    expect(error?.message).toContain('bad key ***');
  });

  it('is not what a socket closed in mid-stream is: that is a connection error', async () => {
    const endpoint = await serve(async (response, request) => {
      await sse([answer([{ text: 'Hel' }])], { end: false })(response, request);
      await sleep(20);
      response.destroy();
    });
    expect(await infer(endpoint)).toMatchObject({ text: 'Hel', error: { category: 'connection' } });
  });
});
