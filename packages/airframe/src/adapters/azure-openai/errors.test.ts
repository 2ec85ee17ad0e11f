import { afterEach, describe, expect, it } from 'vitest';
import { json, type ScriptedServer, scriptedServer } from '../../../../../test/scripted-server.ts';
import type { InferenceResult } from '../../collect.ts';
import { endpointAt, infer } from './__fixtures__/sent.ts';

let server: ScriptedServer;
afterEach(() => server.close());

async function answered(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  options: Record<string, unknown> = {},
): Promise<InferenceResult> {
  server = await scriptedServer(json(status, body, headers));
  return infer(endpointAt(server.url, { options }));
}

describe('a prompt that the content filter blocks', () => {
  const results = {
    jailbreak: { filtered: true, detected: true },
    hate: { filtered: false, severity: 'safe' },
  };
  const blocked = (code: string | null, key: string) => ({
    error: {
      message: 'The response was filtered',
      type: null,
      param: 'prompt',
      code,
      status: 400,
      innererror: { code: 'ResponsibleAIPolicyViolation', [key]: results },
    },
  });

  it.each([
    ['content_filter', 'content_filter_result'],
    ['content_filter', 'content_filter_results'],
    [null, 'content_filter_result'],
  ])('with code %s and %s is content_filter, not retryable, the categories in raw', async (code, key) => {
    const { error, finishReason } = await answered(400, blocked(code, key));
    expect(finishReason).toBe('content_filter');
    expect(error).toMatchObject({
      category: 'content_filter',
      code: 'content_filter',
      status: 400,
      retryable: false,
    });
    expect(JSON.parse(error?.raw ?? '{}').error.innererror[key]).toEqual(results);
    expect(server.seen).toHaveLength(1);
  });
});

describe('rate limits', () => {
  it('retry-after-ms comes before retry-after', async () => {
    const headers = { 'retry-after-ms': '1250', 'retry-after': '2' };
    const { error } = await answered(429, { error: { code: '429', message: 'slow down' } }, headers);
    expect(error).toMatchObject({ category: 'rate_limit', retryable: true, retryAfterMs: 1_250 });
  });

  it('retry-after alone is seconds', async () => {
    const { error } = await answered(429, { error: { code: '429', message: 'm' } }, { 'retry-after': '2' });
    expect(error).toMatchObject({ retryAfterMs: 2_000 });
  });

  it('a reset is plain seconds, and -1 is unknown; told on errors too', async () => {
    const headers = {
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '-1',
      'x-ratelimit-reset-requests': '30',
      'x-ratelimit-remaining-tokens': '-1',
    };
    const { rateLimits } = await answered(429, {}, headers);
    expect(rateLimits).toEqual({ requests: { limit: 60, resetMs: 30_000 } });
  });
});

describe('the shapes of a gateway', () => {
  it.each([
    ['API Management’s {statusCode, message}', { statusCode: 401, message: 'Access denied' }],
    ['a code that is the string "401"', { error: { code: '401', message: 'Access denied' } }],
  ])('%s', async (_shape, body) => {
    const { error } = await answered(401, body, { 'apim-request-id': 'r1' });
    expect(error).toMatchObject({ category: 'auth', retryable: false, requestId: 'r1' });
    expect(error?.message).toMatch(/answered 401: Access denied; check that apiKey is a key of this/);
  });

  it('an empty body and one that is no JSON', async () => {
    server = await scriptedServer(response => {
      response.writeHead(503, { 'content-type': 'text/html' }).end('<h1>Service Unavailable</h1>');
    });
    expect((await infer(endpointAt(server.url))).error).toMatchObject({
      category: 'overloaded',
      retryable: true,
      message: expect.stringContaining('Service Unavailable'),
    });
  });

  it('the code in x-ms-error-code (model inference)', async () => {
    const { error } = await answered(400, { message: 'no' }, { 'x-ms-error-code': 'BadRequest' });
    expect(error).toMatchObject({ category: 'invalid_request', code: 'BadRequest' });
  });

  it.each([
    [400, 'invalid_request', false],
    [403, 'auth', false],
    [404, 'not_found', false],
    [408, 'timeout', true],
    [429, 'rate_limit', true],
    [500, 'backend', true],
    [502, 'overloaded', true],
    [503, 'overloaded', true],
    [504, 'timeout', true],
  ])('status %i is %s, retryable: %s', async (status, category, retryable) => {
    const { error } = await answered(status, { statusCode: status, message: 'm' });
    expect(error).toMatchObject({ category, retryable });
  });
});

describe('a 400', () => {
  it('for parallel_tool_calls, which older models refuse on any api-version, names the option', async () => {
    const message = 'Unrecognized request argument supplied: parallel_tool_calls';
    const error = { message, type: 'invalid_request_error', param: null, code: null };
    expect(await answered(400, { error })).toMatchObject({
      error: { category: 'invalid_request', remedy: 'set options.parallelToolCalls to false' },
    });
    expect(server.seen).toHaveLength(1);
  });
});

describe('a 404', () => {
  const notFound = { error: { code: 'DeploymentNotFound', message: 'The API deployment does not exist.' } };

  it('names the deployment and the api-version that were tried', async () => {
    const options = { deployment: 'gpt-x', apiVersion: '2024-10-21' };
    const { error } = await answered(404, notFound, {}, options);
    expect(error).toMatchObject({ category: 'not_found', code: 'DeploymentNotFound', retryable: false });
    expect(error?.remedy).toMatch(/deployment gpt-x exists.*api-version 2024-10-21 \(options\.apiVersion\)/);
  });

  it('for a wrong api-version says the same: Azure does not tell the two apart', async () => {
    const body = { error: { code: '404', message: 'Resource not found' } };
    const { error } = await answered(404, body, {}, { family: 'deployments' });
    expect(error?.remedy).toMatch(/deployment dep exists.*api-version 2024-02-01/);
  });

  it('on v1 speaks of no api-version but of the address', async () => {
    const { error } = await answered(404, notFound);
    expect(error?.remedy).toMatch(/deployment dep exists.*baseUrl is the resource’s endpoint/);
  });
});
