import { describe, expect, it } from 'vitest';
import { json, sse } from '../../../test/scripted-server.ts';
import { answer, infer, serving } from './__fixtures__/served.ts';

const { serve } = serving();

describe('a stream', () => {
  it.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['SPII', 'content_filter'],
  ])('ends with %s as %s', async (reason, finishReason) => {
    const endpoint = await serve(sse([answer([{ text: 'a' }]), answer([], reason)]));
    expect(await infer(endpoint)).toMatchObject({ finishReason, text: 'a' });
  });

  it.each([
    ['MALFORMED_FUNCTION_CALL', true],
    ['UNEXPECTED_TOOL_CALL', true],
    ['TOO_MANY_TOOL_CALLS', false],
    ['OTHER', false],
    ['TEA_TIME', false],
  ])('that ends with %s has failed, and keeps what came', async (code, retryable) => {
    const usageMetadata = { promptTokenCount: 3 };
    const last = answer([], code, { usageMetadata });
    const endpoint = await serve(sse([answer([{ text: 'a' }]), last]));
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'error',
      text: 'a',
      error: { category: 'backend', code, retryable },
      usage: { promptTokens: 3, completionTokens: 0, source: 'reported' },
    });
  });

  it('quotes what the API says of a failed end', async () => {
    const failed = {
      candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL', finishMessage: 'Malformed: wx(' }],
    };
    const endpoint = await serve(sse([failed]));
    expect((await infer(endpoint)).error?.message).toContain('MALFORMED_FUNCTION_CALL, Malformed: wx(');
  });

  it('is truncated without a finish reason, however good it looks', async () => {
    const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 1 };
    const endpoint = await serve(sse([answer([{ text: 'a' }], undefined, { usageMetadata })]));
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'truncated',
      text: 'a',
      error: { category: 'connection', code: 'truncated' },
      usage: { promptTokens: 3, completionTokens: 1, source: 'reported' },
    });
  });

  it('is truncated when the answer holds nothing at all', async () => {
    expect(await infer(await serve(json(200, {})))).toMatchObject({ finishReason: 'truncated' });
  });

  it('is a content_filter error when the prompt was blocked, and its tokens count', async () => {
    const blocked = {
      promptFeedback: { blockReason: 'PROHIBITED_CONTENT' },
      usageMetadata: { promptTokenCount: 9 },
    };
    const endpoint = await serve(sse([blocked]));
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'content_filter',
      error: { category: 'content_filter', code: 'PROHIBITED_CONTENT', retryable: false },
      usage: { promptTokens: 9, completionTokens: 0, source: 'reported' },
    });
  });

  it('takes usage from the last chunk, and from one after the finish reason', async () => {
    const first = { promptTokenCount: 10, candidatesTokenCount: 1 };
    const last = { promptTokenCount: 10, candidatesTokenCount: 5, thoughtsTokenCount: 7 };
    const endpoint = await serve(
      sse([
        answer([{ text: 'a' }], 'STOP', { usageMetadata: first }),
        { usageMetadata: { ...last, toolUsePromptTokenCount: 100 } },
      ]),
    );
    expect((await infer(endpoint)).usage).toEqual({
      promptTokens: 110,
      completionTokens: 12,
      reasoningTokens: 7,
      totalTokens: 122,
      source: 'reported',
    });
  });

  it('does not take a count that is still to come for zero', async () => {
    const early = answer([{ text: 'x'.repeat(400) }], undefined, { usageMetadata: { promptTokenCount: 4 } });
    expect((await infer(await serve(sse([early])))).usage).toMatchObject({
      promptTokens: 4,
      completionTokens: 100,
      source: 'estimated',
    });
  });

  it('tells calls of one function apart although they have no ids', async () => {
    const call = (c: number) => ({ functionCall: { name: 'wx', args: { c } } });
    const endpoint = await serve(sse([answer([call(1), call(2)]), answer([call(3)]), answer([], 'STOP')]));
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'tool_calls',
      toolCalls: [{ arguments: '{"c":1}' }, { arguments: '{"c":2}' }, { arguments: '{"c":3}' }],
    });
  });

  it('skips other candidates, and parts that have no place in a reply', async () => {
    const other = { index: 1, content: { parts: [{ text: 'no' }] }, finishReason: 'SAFETY' };
    const parts = [{ inlineData: { mimeType: 'image/png', data: 'AA' } }, { text: 'a' }];
    const endpoint = await serve(
      sse([{ candidates: [other] }, answer(parts), { candidates: [] }, answer([], 'STOP')]),
    );
    expect(await infer(endpoint)).toMatchObject({ finishReason: 'stop', text: 'a' });
  });

  it('takes null for nothing, as proxies send it', async () => {
    const part = { text: null, thoughtSignature: null, functionCall: null };
    const nothing = { candidates: null, promptFeedback: null, usageMetadata: null, error: null };
    const call = { functionCall: { id: null, name: 'now', args: null } };
    const empty = { candidates: [{ content: { parts: [part] }, finishReason: null }, { content: null }] };
    const endpoint = await serve(sse([nothing, empty, answer([{ text: 'a' }, call]), answer([], 'STOP')]));
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'tool_calls',
      text: 'a',
      toolCalls: [{ id: 'call_0', arguments: '{}' }],
    });
  });

  it.each(['null', '{"candidates":', '[DONE]'])('takes %s as an event for a parse error', async data => {
    const endpoint = await serve(sse([data]));
    expect(await infer(endpoint)).toMatchObject({ error: { category: 'parse' } });
  });
});
