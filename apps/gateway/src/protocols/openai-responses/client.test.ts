import { AirframeError } from '@x/airframe';
import OpenAI, { APIError, BadRequestError } from 'openai';
import { describe, expect, it } from 'vitest';
import { serving } from '../__fixtures__/served.ts';
import { openAIResponses } from './index.ts';

const { serve, asked } = serving(openAIResponses);
const clientOf = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 });
const request = { model: 'm', input: 'hi' };

const reply = {
  pieces: [
    { thinking: 'H' },
    { thinking: 'm' },
    { signature: 'sig' },
    { text: 'Let me ' },
    { text: 'look.' },
    { call: 0, id: 'call_0', name: 'wx', arguments: '{"c"' },
    { call: 1, id: 'call_1', name: 'time', arguments: '' },
    { call: 0, arguments: ':1}' },
  ],
  usage: { promptTokens: 20, cachedTokens: 15 },
};
const output = [
  { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'Hm' }], encrypted_content: 'sig' },
  { type: 'message', content: [{ type: 'output_text', text: 'Let me look.' }] },
  { type: 'function_call', call_id: 'call_0', name: 'wx', arguments: '{"c":1}' },
  { type: 'function_call', call_id: 'call_1', name: 'time', arguments: '{}' },
];

describe('openai-node', () => {
  it('reads a stream, as it comes and whole', async () => {
    const client = clientOf(await serve(reply));
    const stream = client.responses.stream(request);
    const texts: string[] = [];
    stream.on('response.output_text.delta', ({ snapshot }) => texts.push(snapshot));
    const response = await stream.finalResponse();
    expect(response).toMatchObject({ id: 'resp_r1', status: 'completed', output });
    expect(response.output_text).toBe('Let me look.');
    expect(response.usage).toMatchObject({ input_tokens: 20, input_tokens_details: { cached_tokens: 15 } });
    expect(texts).toEqual(['Let me ', 'Let me look.']);
  });

  it('follows calls whose pieces are mixed, and thinking as the summary it asked for', async () => {
    const client = clientOf(await serve(reply));
    const stream = client.responses.stream({ ...request, reasoning: { summary: 'auto' } });
    const summary: string[] = [];
    const calls: string[] = [];
    stream.on('response.reasoning_summary_text.delta', ({ delta }) => summary.push(delta));
    stream.on('response.function_call_arguments.delta', ({ snapshot }) => calls.push(snapshot));
    const response = await stream.finalResponse();
    expect(summary).toEqual(['H', 'm']);
    expect(calls).toEqual(['{"c"', '{"c":1}', '{}']);
    expect(response.output[0]).toMatchObject({ summary: [{ type: 'summary_text', text: 'Hm' }] });
  });

  it('reads an answer that is no stream, also as an object', async () => {
    const client = clientOf(await serve({ pieces: [{ text: '{"a":1}' }] }));
    const schema = { type: 'object', properties: { a: { type: 'number' } } };
    const parsed = await client.responses.parse({
      ...request,
      text: { format: { type: 'json_schema', name: 'answer', schema, strict: true } },
    });
    expect(parsed.output_text).toBe('{"a":1}');
    expect(asked()?.request.responseFormat).toMatchObject({ type: 'json_schema', schema });
  });

  it('sends the answer back as history', async () => {
    const client = clientOf(await serve(reply));
    const response = await client.responses.create(request);
    await client.responses.create({
      ...request,
      input: [
        { role: 'user', content: 'hi' },
        ...(response.output as OpenAI.Responses.ResponseInputItem[]),
        { type: 'function_call_output', call_id: 'call_0', output: 'warm' },
      ],
    });
    expect(asked()?.request.messages?.slice(1)).toEqual([
      {
        role: 'assistant',
        content: 'Let me look.',
        reasoning: [{ text: 'Hm', signature: 'sig' }],
        toolCalls: [
          { id: 'call_0', name: 'wx', arguments: '{"c":1}' },
          { id: 'call_1', name: 'time', arguments: '{}' },
        ],
      },
      { role: 'tool', toolCallId: 'call_0', content: 'warm' },
    ]);
  });

  it('tells an answer that was cut', async () => {
    const client = clientOf(await serve({ pieces: [{ text: 'a' }], finishReason: 'length' }));
    expect(await client.responses.stream(request).finalResponse()).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    });
  });

  it('throws where a stream breaks off', async () => {
    const error = new AirframeError('rate_limit', 'slow down');
    const client = clientOf(await serve(writer => writer.begin() + writer.text('a') + writer.fail(error)));
    const failure = client.responses.stream(request).finalResponse();
    await expect(failure).rejects.toThrow(APIError);
    await expect(failure).rejects.toMatchObject({ code: 'rate_limit_exceeded', message: 'slow down' });
    const events = await client.responses.create({ ...request, stream: true });
    const read = async () => {
      for await (const _ of events);
    };
    await expect(read()).rejects.toThrow('slow down');
  });

  it('reads a refusal', async () => {
    const client = clientOf(await serve(reply));
    const failure = client.responses.create({ ...request, previous_response_id: 'resp_1' });
    await expect(failure).rejects.toThrow(BadRequestError);
    await expect(failure).rejects.toThrow(/keeps no state/);
  });
});
