import { describe, expect, it } from 'vitest';
import { errorIn, inBandError, readError, refusedParameter } from './errors.ts';

const body = (code: string | number | null, more = {}) => ({ error: { message: 'why', code, ...more } });

describe('an error answer', () => {
  it.each([
    [429, body('insufficient_quota'), { category: 'quota', code: 'insufficient_quota' }],
    [429, body('credit_balance_exhausted'), { category: 'quota' }],
    [429, body('rate_limit_exceeded', { type: 'tokens' }), { category: 'rate_limit' }],
    [429, body('slow_down'), { category: 'rate_limit' }],
    [404, body('model_not_found'), { category: 'not_found' }],
    [409, body(null), { category: 'backend', retryable: true }],
    [500, body(null, { type: 'server_error' }), { category: 'backend', retryable: true }],
    [500, undefined, { category: 'backend', retryable: true }],
    [498, body(null), { category: 'overloaded' }],
    [503, body('server_is_overloaded'), { category: 'overloaded' }],
    [400, body('content_filter', { type: null, param: 'prompt' }), { category: 'content_filter' }],
    // Groq: the model wrote a bad call; the next run may do better.
    [400, body('tool_use_failed', { failed_generation: '…' }), { category: 'backend', retryable: true }],
    // Groq: over the limit of a minute in one request.
    [413, body('rate_limit_exceeded'), { category: 'rate_limit', retryable: false }],
    // vLLM, llama-server.
    [404, body(404, { type: 'NotFoundError' }), { category: 'not_found', code: 'NotFoundError' }],
    [400, body(400, { type: 'exceed_context_size_error' }), { category: 'context_length' }],
  ])('%s %j', (status, answer, expected) => {
    expect(readError(status, answer)).toMatchObject(expected);
  });

  it.each([502, 503, 504, 401, 402, 422])('%s without a known code is left to the status', status => {
    expect(readError(status, body(null)).category).toBeUndefined();
  });

  it.each([
    ['OpenAI', { error: { message: 'no', type: 'x', param: null, code: null } }, 'no'],
    ['error.code a number', { error: { message: 'no', code: 400 } }, 'no'],
    ['error as string (Ollama’s own API)', { error: 'no' }, 'no'],
    ['message beside an error without type (LM Studio)', { error: { message: 'no' }, message: 'n' }, 'no'],
    ['flat (Mistral)', { object: 'error', message: 'no', type: 't', param: null, code: null }, 'no'],
    ['FastAPI 422', { detail: [{ loc: ['body', 'n'], msg: 'no', type: 't' }] }, 'body.n: no'],
    ['FastAPI detail as text', { detail: 'no' }, 'no'],
    [
      'Mistral 422',
      { object: 'error', message: { detail: [{ loc: ['body', 'n'], msg: 'no' }] } },
      'body.n: no',
    ],
    ['Azure’s gateway', { statusCode: 401, message: 'no' }, 'no'],
    ['Gemini: in an array', [{ error: { code: 400, message: 'no' } }], 'no'],
    ['not an error at all', { hello: 1 }, undefined],
    ['no JSON', undefined, undefined],
  ])('finds the message: %s', (_shape, answer, message) => {
    expect(readError(400, answer).message).toBe(message);
  });

  it('shows what the provider behind OpenRouter said', () => {
    const raw = JSON.stringify({ error: { message: "This model's maximum context length is 8192 tokens." } });
    const metadata = { provider_name: 'Acme', raw };
    const answer = { error: { code: 400, message: 'Provider returned error', metadata } };
    expect(readError(400, answer)).toMatchObject({
      category: 'context_length',
      contextTokens: 8192,
      message: expect.stringMatching(/^Provider returned error: Acme: This model's maximum/),
    });
  });

  it('takes OpenRouter’s moderation for a content filter, not for a bad key', () => {
    const metadata = { reasons: ['violence'], flagged_input: '…', provider_name: 'Acme' };
    expect(readError(403, { error: { code: 403, message: 'flagged', metadata } })).toMatchObject({
      category: 'content_filter',
    });
  });

  it.each([
    [
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
      [9001, 8192],
    ],
    [
      "This model's maximum context length is 4097 tokens, however you requested 5000 tokens (4000 in your prompt; 1000 for the completion).",
      [4000, 4097],
    ],
    [
      "This endpoint's maximum context length is 8192 tokens. However, you requested about 9000 tokens (8000 of text input, 1000 in the output).",
      [8000, 8192],
    ],
    [
      "You passed 5001 input tokens and requested 0 output tokens. However, the model's context length is only 5000 tokens",
      [5001, 5000],
    ],
    [
      'Prompt contains 65673 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
      [65673, 32768],
    ],
    ["The input (5000 tokens) is longer than the model's context length (4096 tokens).", [5000, 4096]],
    ['Your input exceeds the context window of this model.', [undefined, undefined]],
  ])('reads the figures in: %s', (message, [promptTokens, contextTokens]) => {
    const type = 'invalid_request_error';
    const facts = readError(400, { error: { message, type, param: 'messages', code: null } });
    expect(facts).toMatchObject({ category: 'context_length', promptTokens, contextTokens });
  });
});

describe('an error inside an answer', () => {
  it.each([
    [
      { code: 502, message: 'm' },
      { category: 'overloaded', retryable: true },
    ],
    [
      { code: 429, message: 'm' },
      { category: 'rate_limit', retryable: true },
    ],
    [
      { code: '429', message: 'm' },
      { category: 'rate_limit', code: '429' },
    ],
    [
      { code: null, type: 'invalid_request_error', message: 'm' },
      { category: 'invalid_request', retryable: false },
    ],
    [
      { code: 400, type: 'BadRequestError', message: 'm' },
      { category: 'invalid_request', retryable: false },
    ],
    [{ message: 'm' }, { category: 'backend', retryable: true }],
    ['it broke', { category: 'backend', message: expect.stringContaining('it broke') }],
    ['insufficient_quota', { category: 'quota', retryable: false, code: 'insufficient_quota' }],
    ['constructor', { category: 'backend' }],
  ])('%j', (wire, expected) => {
    expect(inBandError(wire)).toMatchObject(expected);
  });

  it('is seen whatever its form, and only when there is one', () => {
    expect(errorIn({ error: 'no' })).toBe('no');
    expect(errorIn({ error: true })).toBe('true');
    expect(errorIn({ object: 'error', message: 'no' })).toMatchObject({ message: 'no' });
    for (const fine of [{ error: null }, { error: '' }, { choices: [] }, null, 'error', []]) {
      expect(errorIn(fine)).toBeUndefined();
    }
  });
});

describe('a refused parameter', () => {
  it.each([
    [400, body('unsupported_parameter', { param: 'max_tokens' }), 'max_tokens'],
    [400, body('unsupported_value', { param: 'temperature' }), 'temperature'],
    [422, { detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options'] }] }, 'stream_options'],
    [400, { error: { message: 'Unrecognized request argument supplied: stream_options' } }, 'stream_options'],
    // A bad value is the caller's to mend.
    [422, { detail: [{ type: 'greater_than', loc: ['body', 'max_tokens'], msg: 'over 0' }] }, undefined],
    [400, body('invalid_value', { param: 'temperature' }), undefined],
    [429, body('unsupported_value', { param: 'temperature' }), undefined],
    [400, undefined, undefined],
  ])('%s %j: %s', (status, answer, parameter) => {
    expect(refusedParameter(status, answer)).toBe(parameter);
  });
});
