import { describe, expect, it } from 'vitest';
import type { Message } from '../../request.ts';
import { delta, events, start, stop, text, thinking, toolUse } from './__fixtures__/events.ts';
import { infer, messages, serving } from './__fixtures__/served.ts';

const { seen, sent, serve } = serving();

const turns = async (...history: Message[]) => (await sent({ messages: history })).body['messages'];
const user = (content: string): Message => ({ role: 'user', content });
const call = (id: string, args = '{}') => ({ id, name: 'wx', arguments: args });
const assistant = (content: string, more: object = {}): Message => ({ role: 'assistant', content, ...more });
const result = (toolCallId: string, content: string): Message => ({ role: 'tool', toolCallId, content });

describe('the history', () => {
  it('lifts system messages out of the chat', async () => {
    const { body } = await sent({
      messages: [{ role: 'system', content: 'A' }, user('x'), { role: 'system', content: 'B' }, user('y')],
    });
    expect(body['system']).toBe('A\n\nB');
    expect(body['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'x' },
          { type: 'text', text: 'y' },
        ],
      },
    ]);
  });

  it('puts parallel tool results into one user turn, before all else of it', async () => {
    const calls = assistant('', { toolCalls: [call('a', '{"c":1}'), call('b', '')] });
    expect(await turns(user('x'), calls, user('and?'), result('a', '4'), result('b', ''))).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'x' }] },
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'a', name: 'wx', input: { c: 1 } },
          { type: 'tool_use', id: 'b', name: 'wx', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: '4' },
          { type: 'tool_result', tool_use_id: 'b', content: '' },
          { type: 'text', text: 'and?' },
        ],
      },
    ]);
  });

  it.each(['{"x":', '[1]', 'null', '1'])('refuses arguments %s, naming the call', async args => {
    const history = [user('x'), assistant('', { toolCalls: [call('t9', args)] }), result('t9', '')];
    const { error } = await sent({ messages: history });
    expect(error).toMatchObject({ category: 'invalid_request', message: expect.stringContaining('t9 (wx)') });
  });

  it('makes other backends’ ids fit, alike in call and result', async () => {
    const calls = assistant('', { toolCalls: [call('functions.wx:0')] });
    expect(await turns(user('x'), calls, result('functions.wx:0', '4'))).toMatchObject([
      {},
      { content: [{ id: 'functions_wx_0' }] },
      { content: [{ tool_use_id: 'functions_wx_0' }] },
    ]);
  });

  it('sends images by URL, and those in data: URLs as base64', async () => {
    const image = (url: string) => ({ type: 'image' as const, url });
    const content = [image('https://h/a.png'), image('data:image/png;base64,AAAA')];
    expect(await turns({ role: 'user', content })).toMatchObject([
      {
        content: [
          { type: 'image', source: { type: 'url', url: 'https://h/a.png' } },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
        ],
      },
    ]);
    for (const url of ['data:image/svg+xml,<svg/>', 'data:;base64,AA', 'data:image/png']) {
      const { error } = await sent({ messages: [{ role: 'user', content: [image(url)] }] });
      expect(error).toMatchObject({ category: 'invalid_request', message: expect.stringContaining('data:') });
    }
  });

  it('sends thinking back unmodified and in its place, as it came', async () => {
    const redacted = {
      type: 'content_block_start',
      index: 6,
      content_block: { type: 'redacted_thinking', data: 'Z' },
    };
    const reply = [
      ...thinking(0, 'S1', 'One.'),
      ...text(1, 'Look. '),
      ...thinking(2, 'S2'),
      ...toolUse(3, 'a', '{"c":1}'),
      ...thinking(4, 'S3:x', 'Two.'),
      ...text(5, 'And.'),
      redacted,
      ...toolUse(7, 'b'),
    ];
    const endpoint = await serve(events([start(), ...reply, delta('tool_use'), stop]));
    const { message } = await infer(endpoint);
    await infer(endpoint, {
      messages: [...messages, message as Message, result('a', '1'), result('b', '2')],
    });
    expect((seen()[1]?.body as { messages: unknown[] } | undefined)?.messages[1]).toEqual({
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'One.', signature: 'S1' },
        { type: 'text', text: 'Look. ' },
        { type: 'thinking', thinking: '', signature: 'S2' },
        { type: 'tool_use', id: 'a', name: 'wx', input: { c: 1 } },
        { type: 'thinking', thinking: 'Two.', signature: 'S3:x' },
        { type: 'text', text: 'And.' },
        { type: 'redacted_thinking', data: 'Z' },
        { type: 'tool_use', id: 'b', name: 'wx', input: {} },
      ],
    });
  });

  it('leaves out thinking that is not its own, or unsigned', async () => {
    const reasoning = [{ text: 'a', signature: 'openai:abc' }, { text: 'b', signature: 'S' }, { text: 'c' }];
    const toolCalls = [{ ...call('t'), signature: 'gemini:xyz' }];
    expect(await turns(user('x'), assistant('y', { reasoning, toolCalls }))).toMatchObject([
      {},
      {
        content: [
          { type: 'text', text: 'y' },
          { type: 'tool_use', id: 't', name: 'wx', input: {} },
        ],
      },
    ]);
  });

  it('leaves out thinking at the end of a turn, blank text, and turns that then hold nothing', async () => {
    const reasoning = [{ text: 'a', signature: 'anthropic:0.0:S' }];
    expect(await turns(user('x'), assistant('', { reasoning }), user('y'), assistant(' \n'))).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'x' },
          { type: 'text', text: 'y' },
        ],
      },
    ]);
  });
});
