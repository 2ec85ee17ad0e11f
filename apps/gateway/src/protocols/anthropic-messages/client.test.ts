import Anthropic, { APIError, BadRequestError } from '@anthropic-ai/sdk';
import { AirframeError } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { serving } from '../__fixtures__/served.ts';
import { anthropicMessages } from './index.ts';

const { serve, asked } = serving(anthropicMessages);
const clientOf = (baseURL: string) => new Anthropic({ baseURL, apiKey: 'unused', maxRetries: 0 });
const request: Anthropic.MessageCreateParamsNonStreaming = {
  model: 'm',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'hi' }],
};

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
const content = [
  { type: 'thinking', thinking: 'Hm', signature: 'sig' },
  { type: 'text', text: 'Let me look.' },
  { type: 'tool_use', id: 'call_0', name: 'wx', input: { c: 1 } },
  { type: 'tool_use', id: 'call_1', name: 'time', input: {} },
];

describe('the Anthropic SDK', () => {
  it('reads a stream, as it comes and whole', async () => {
    const client = clientOf(await serve(reply));
    const stream = client.messages.stream(request);
    const texts: string[] = [];
    stream.on('text', text => texts.push(text));
    expect(await stream.finalMessage()).toMatchObject({
      id: 'msg_r1',
      model: 'asked',
      content,
      stop_reason: 'tool_use',
      usage: { input_tokens: 5, cache_read_input_tokens: 15, output_tokens: 7 },
    });
    expect(texts).toEqual(['Let me ', 'look.']);
  });

  it('reads an answer that is no stream', async () => {
    const client = clientOf(await serve(reply));
    const message = await client.messages.create(request);
    expect(message).toMatchObject({ content, stop_reason: 'tool_use', usage: { input_tokens: 5 } });
  });

  it('sends the answer back as history', async () => {
    const client = clientOf(await serve(reply));
    const message = await client.messages.stream(request).finalMessage();
    const results: Anthropic.ToolResultBlockParam[] = [
      { type: 'tool_result', tool_use_id: 'call_0', content: 'warm' },
      { type: 'tool_result', tool_use_id: 'call_1', content: 'noon' },
    ];
    const { role, content } = message;
    await client.messages.create({
      ...request,
      messages: [...request.messages, { role, content }, { role: 'user', content: results }],
    });
    expect(asked()?.request.messages?.slice(1)).toEqual([
      {
        role: 'assistant',
        content: 'Let me look.',
        reasoning: [{ text: 'Hm', signature: 'sig' }],
        toolCalls: [
          { id: 'call_0', name: 'wx', arguments: '{"c":1}', input: { c: 1 } },
          { id: 'call_1', name: 'time', arguments: '{}', input: {} },
        ],
      },
      { role: 'tool', toolCallId: 'call_0', content: 'warm' },
      { role: 'tool', toolCallId: 'call_1', content: 'noon' },
    ]);
  });

  it('throws where a stream breaks off', async () => {
    const error = new AirframeError('overloaded', 'all nodes are busy');
    const client = clientOf(await serve(writer => writer.begin() + writer.text('a') + writer.fail(error)));
    const failure = client.messages.stream(request).finalMessage();
    await expect(failure).rejects.toThrow(APIError);
    await expect(failure).rejects.toMatchObject({
      type: 'overloaded_error',
      error: { error: { message: 'all nodes are busy' }, request_id: 'r1' },
    });
  });

  it('reads a refusal', async () => {
    const client = clientOf(await serve(reply));
    const failure = client.messages.create({ ...request, max_tokens: 0 });
    await expect(failure).rejects.toThrow(BadRequestError);
    await expect(failure).rejects.toThrow(/max_tokens/);
  });
});
