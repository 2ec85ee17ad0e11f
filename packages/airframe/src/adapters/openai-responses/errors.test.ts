import { describe, expect, it } from 'vitest';
import { json, sse } from '../../../../../test/scripted-server.ts';
import { created, events, failed, text } from './__fixtures__/events.ts';
import { infer, serving } from './__fixtures__/served.ts';

const { seen, serve } = serving();

const body = (code: string | null, message = 'why', type = 'invalid_request_error') => ({
  error: { message, type, param: null, code },
});

describe('an error answer', () => {
  it.each([
    [400, body('unsupported_value'), { category: 'invalid_request', retryable: false }],
    [401, body('invalid_api_key'), { category: 'auth', retryable: false }],
    [403, body(null), { category: 'auth', retryable: false }],
    [404, body('model_not_found'), { category: 'not_found', retryable: false }],
    [408, body(null), { category: 'timeout', retryable: true }],
    [409, body(null), { category: 'backend', retryable: true }],
    [413, body(null), { category: 'context_length', retryable: false }],
    [422, body(null), { category: 'invalid_request', retryable: false }],
    [429, body('rate_limit_exceeded', 'why', 'tokens'), { category: 'rate_limit', retryable: true }],
    [429, body('slow_down'), { category: 'rate_limit', retryable: true }],
    // The same status, but waiting does not help.
    [429, body('insufficient_quota'), { category: 'quota', retryable: false }],
    [429, body('new_code', 'why', 'insufficient_quota'), { category: 'quota', retryable: false }],
    [429, body('credit_balance_exhausted'), { category: 'quota', retryable: false }],
    [500, body(null, 'why', 'server_error'), { category: 'backend', retryable: true }],
    [500, body(null), { category: 'backend', retryable: true }],
    [502, body(null), { category: 'overloaded', retryable: true }],
    [503, body('server_is_overloaded'), { category: 'overloaded', retryable: true }],
    [504, body(null), { category: 'timeout', retryable: true }],
  ])('%i %j', async (status, answer, expected) => {
    const endpoint = await serve(json(status, answer, { 'x-request-id': 'req_1' }));
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'error',
      error: { ...expected, status, requestId: 'req_1', message: expect.stringContaining(': why') },
    });
    expect(seen()).toHaveLength(1);
  });

  it.each([
    ['Your input exceeds the context window of this model.', undefined, undefined],
    [
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
      9001,
      8192,
    ],
    [
      "This model's maximum context length is 4097 tokens, however you requested 5000 tokens (4000 in your prompt; 1000 for the completion).",
      4000,
      4097,
    ],
  ])('context_length_exceeded has the numbers in: %s', async (message, promptTokens, contextTokens) => {
    const endpoint = await serve(json(400, body('context_length_exceeded', message)));
    expect((await infer(endpoint)).error).toMatchObject({
      category: 'context_length',
      promptTokens,
      contextTokens,
    });
  });

  it('honours retry-after-ms and x-should-retry', async () => {
    const headers = { 'retry-after-ms': '70', 'x-should-retry': 'false' };
    const endpoint = await serve(json(429, body('rate_limit_exceeded'), headers));
    expect(await infer(endpoint)).toMatchObject({ error: { retryAfterMs: 70, retryable: false } });
  });

  it('need not be JSON, and a 404 at the root of a host tells what is missing', async () => {
    const endpoint = await serve(response => {
      response.writeHead(404, { 'content-type': 'text/html' });
      response.end('<html>');
    });
    const baseUrl = endpoint.baseUrl.replace('/v1', '');
    expect((await infer({ ...endpoint, baseUrl })).error).toMatchObject({
      category: 'not_found',
      message: expect.stringContaining('ends in /v1'),
    });
  });
});

describe('an error inside an answer', () => {
  const flat = { type: 'error', code: 'server_error', message: 'why', param: null };
  const nested = { type: 'error', error: { type: 'invalid_request_error', code: null, message: 'why' } };

  it.each([
    ['a flat error event', flat, { category: 'backend', code: 'server_error', retryable: true }],
    ['one without code', { ...flat, code: null }, { category: 'backend', code: undefined, retryable: true }],
    ['a nested one', nested, { category: 'invalid_request', retryable: false }],
    ['response.failed: server_error', failed('server_error'), { category: 'backend', retryable: true }],
    ['response.failed: image_too_large', failed('image_too_large'), { category: 'invalid_request' }],
    ['response.failed: invalid_prompt', failed('invalid_prompt'), { category: 'invalid_request' }],
    ['response.failed: new_code', failed('new_code'), { category: 'backend', retryable: true }],
    [
      'response.failed: context_length_exceeded',
      failed('context_length_exceeded'),
      { category: 'context_length', retryable: false },
    ],
    ['response.failed: insufficient_quota', failed('insufficient_quota'), { category: 'quota' }],
  ])('%s', async (_name, event, expected) => {
    const endpoint = await serve(events([created, ...text(0, 'Hel'), event]));
    expect(await infer(endpoint)).toMatchObject({ text: 'Hel', finishReason: 'error', error: expected });
  });

  it('that is a flagged prompt is a content filter', async () => {
    const said = 'Invalid prompt: your prompt was flagged as potentially violating our usage policy.';
    const endpoint = await serve(events([created, failed('invalid_prompt', said)]));
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'content_filter',
      error: { category: 'content_filter', retryable: false },
    });
  });

  it('that is a rate limit tells how long to wait in its text: there is no header', async () => {
    const said = 'Rate limit reached for gpt-x: Limit 30000, Used 22999. Please try again in 1.898s.';
    const endpoint = await serve(events([created, failed('rate_limit_exceeded', said)]));
    expect(await infer(endpoint)).toMatchObject({
      error: { category: 'rate_limit', retryable: true, retryAfterMs: 1898 },
    });
  });

  it('counts also without a type, and shows no key', async () => {
    const endpoint = await serve(sse([{ error: { message: 'bad key hunter2hunter2' } }]));
    const { error } = await infer({ ...endpoint, apiKey: 'hunter2hunter2' });
    expect(error).toMatchObject({ category: 'backend', message: expect.stringContaining('bad key ***') });
  });

  it('of status 200 that is no stream is an error too', async () => {
    const endpoint = await serve(json(200, body('server_is_overloaded')));
    expect(await infer(endpoint, { stream: false })).toMatchObject({ error: { category: 'overloaded' } });
  });
});
