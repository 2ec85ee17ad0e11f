import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { json } from '../../../../../test/scripted-server.ts';
import { events, start, text } from './__fixtures__/events.ts';
import { infer, serving } from './__fixtures__/served.ts';

const { seen, serve } = serving();

const wire = (type: string, message = 'why') => ({
  type: 'error',
  error: { type, message },
  request_id: 'req_b',
});
const invalid = (message: string) => wire('invalid_request_error', message);

describe('an error answer', () => {
  it.each([
    [400, 'invalid_request_error', { category: 'invalid_request', retryable: false }],
    [401, 'authentication_error', { category: 'auth', retryable: false }],
    [402, 'billing_error', { category: 'quota', retryable: false }],
    [403, 'permission_error', { category: 'auth', retryable: false }],
    [404, 'not_found_error', { category: 'not_found', retryable: false }],
    [409, 'conflict_error', { category: 'backend', retryable: true }],
    [413, 'request_too_large', { category: 'context_length', retryable: false }],
    [429, 'rate_limit_error', { category: 'rate_limit', retryable: true }],
    [500, 'api_error', { category: 'backend', retryable: true }],
    [504, 'timeout_error', { category: 'timeout', retryable: true }],
    [529, 'overloaded_error', { category: 'overloaded', retryable: true }],
    // By the status, when the type is new.
    [409, 'new_error', { category: 'backend', retryable: true }],
    [418, 'new_error', { category: 'backend', retryable: false }],
    [500, 'new_error', { category: 'backend', retryable: true }],
    [529, 'new_error', { category: 'overloaded', retryable: true }],
  ])('%i %s has its category', async (status, type, expected) => {
    const endpoint = await serve(json(status, wire(type), { 'request-id': 'req_1' }));
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'error',
      error: {
        ...expected,
        status,
        code: type,
        requestId: 'req_1',
        message: expect.stringContaining(': why'),
      },
    });
    expect(seen()).toHaveLength(1);
  });

  it('of status 413 comes from the CDN and need not be JSON', async () => {
    const endpoint = await serve(response => {
      response.writeHead(413, { 'content-type': 'text/html' });
      response.end('<html>cloudflare</html>');
    });
    expect(await infer(endpoint)).toMatchObject({
      error: {
        category: 'context_length',
        code: 'request_too_large',
        message: expect.stringContaining('larger than the API takes (32 MB)'),
      },
    });
  });

  it('honours retry-after and x-should-retry', async () => {
    const headers = { 'retry-after': '7', 'x-should-retry': 'false' };
    const endpoint = await serve(json(429, wire('rate_limit_error'), headers));
    expect(await infer(endpoint)).toMatchObject({ error: { retryAfterMs: 7_000, retryable: false } });
  });

  it('tells a prompt that is too long by its text, with both numbers', async () => {
    const endpoint = await serve(json(400, invalid('prompt is too long: 210000 tokens > 200000 maximum')));
    expect(await infer(endpoint)).toMatchObject({
      error: { category: 'context_length', promptTokens: 210_000, contextTokens: 200_000 },
    });
  });

  it('tells a prompt that leaves no room for max_tokens', async () => {
    const said =
      'input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again';
    const endpoint = await serve(json(400, invalid(said)));
    expect(await infer(endpoint)).toMatchObject({
      error: { category: 'context_length', promptTokens: 188_240, contextTokens: 200_000 },
    });
  });

  it.each([
    ['prompt is too long', 'context_length'],
    ['Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.', 'quota'],
    ['You have reached your specified API usage limits.', 'quota'],
    ['Output blocked by content filtering policy', 'content_filter'],
    ['max_tokens: Field required', 'invalid_request'],
  ])('that says "%s" is %s', async (message, category) => {
    const endpoint = await serve(json(400, invalid(message)));
    expect(await infer(endpoint)).toMatchObject({ error: { category, retryable: false } });
  });
});

describe('an error in mid-stream', () => {
  it.each([
    [wire('overloaded_error', 'Overloaded'), { category: 'overloaded', retryable: true }, 'error'],
    [wire('api_error'), { category: 'backend', retryable: true }, 'error'],
    [wire('rate_limit_error'), { category: 'rate_limit' }, 'error'],
    [wire('new_error'), { category: 'backend', retryable: false }, 'error'],
    [invalid('Output blocked by content filtering policy'), { category: 'content_filter' }, 'content_filter'],
  ])('has the category of its type %#, after the text that came', async (event, expected, finishReason) => {
    const endpoint = await serve(events([start(), ...text(0, 'Hel'), event]));
    expect(await infer(endpoint)).toMatchObject({
      text: 'Hel',
      finishReason,
      error: { ...expected, code: event.error.type, requestId: 'req_b' },
      usage: { promptTokens: 12 },
    });
  });

  it('counts also without a type of the event', async () => {
    const endpoint = await serve(response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end('data: {"error":{"type":"overloaded_error"}}\n\n');
    });
    expect(await infer(endpoint)).toMatchObject({ error: { category: 'overloaded' } });
  });

  it('is an error inside a 200 answer too', async () => {
    const endpoint = await serve(json(200, wire('overloaded_error')));
    expect(await infer(endpoint, { stream: false })).toMatchObject({ error: { category: 'overloaded' } });
  });

  it('shows no key, however it is echoed', async () => {
    const echoed = wire('authentication_error', 'bad key hunter2hunter2 or sk-ant-api03-abcdefghijklmnop');
    const endpoint = await serve(events([start(), echoed]));
    const { error } = await infer({ ...endpoint, apiKey: 'hunter2hunter2' });
    expect(error?.message).toContain('bad key *** or ***');
  });

  it('is not what a socket closed in mid-stream is: that is a connection error', async () => {
    const endpoint = await serve(async response => {
      events([start(), ...text(0, 'Hel')], { end: false })(response);
      await sleep(20);
      response.destroy();
    });
    expect(await infer(endpoint)).toMatchObject({
      text: 'Hel',
      finishReason: 'error',
      error: { category: 'connection' },
    });
  });
});
