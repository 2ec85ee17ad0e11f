import { describe, expect, it } from 'vitest';
import type { AssistantMessage, ToolCall } from '../../events.ts';
import type { Message } from '../../request.ts';
import { serving } from './__fixtures__/served.ts';
import { encodeSignature } from './signatures.ts';
import type { OpenAIResponsesExtra } from './wire.ts';

const { sent } = serving();

const user: Message = { role: 'user', content: 'hi' };
const said = (text: string) => ({ role: 'assistant', content: [{ type: 'output_text', text }] });

async function inputOf(messages: Message[], extra: OpenAIResponsesExtra = {}): Promise<unknown> {
  return (await sent({ messages, extra })).body['input'];
}

function thought(id: string, chars = 0, calls = 0, more: object = { encrypted_content: 'ENC' }) {
  return {
    text: 'Hm.',
    signature: encodeSignature({ item: { id, type: 'reasoning', summary: [], ...more }, chars, calls }),
  };
}

const item = (id: string) => ({ type: 'reasoning', id, summary: [], encrypted_content: 'ENC' });
const call = (id: string): ToolCall => ({ id, name: 'f', arguments: '{"x":1}', input: { x: 1 } });
const wireCall = (call_id: string) => ({ type: 'function_call', call_id, name: 'f', arguments: '{"x":1}' });
const assistant = (message: Partial<AssistantMessage>): AssistantMessage => ({
  role: 'assistant',
  content: '',
  ...message,
});

describe('system messages', () => {
  it('the first is the instructions', async () => {
    const { body } = await sent({ messages: [{ role: 'system', content: 'Be brief.' }, user] });
    expect(body).toMatchObject({ instructions: 'Be brief.', input: [{ role: 'user', content: 'hi' }] });
  });

  it('later ones stay in their place', async () => {
    const { body } = await sent({
      messages: [{ role: 'system', content: 'a' }, user, { role: 'system', content: 'b' }],
    });
    expect(body).toMatchObject({
      instructions: 'a',
      input: [{ role: 'user' }, { role: 'system', content: 'b' }],
    });
  });

  it('one alone is the input, which cannot be empty', async () => {
    const { body } = await sent({ messages: [{ role: 'system', content: 'a' }] });
    expect(body['input']).toEqual([{ role: 'system', content: 'a' }]);
    expect(body).not.toHaveProperty('instructions');
  });
});

describe('the history', () => {
  it('has input_text and input_image from the user, and output_text from the assistant', async () => {
    const content = [
      { type: 'text' as const, text: 'What?' },
      { type: 'image' as const, url: 'https://x/y.png' },
    ];
    expect(await inputOf([{ role: 'user', content }, assistant({ content: 'A cat.' }), user])).toEqual([
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'What?' },
          // A bare URL, not an object as in Chat Completions.
          { type: 'input_image', image_url: 'https://x/y.png', detail: 'auto' },
        ],
      },
      said('A cat.'),
      { role: 'user', content: 'hi' },
    ]);
  });

  it('has calls and results as items of their own that meet by call_id, without item ids', async () => {
    const result: Message = { role: 'tool', toolCallId: 'c1', content: '7', isError: true };
    const messages = [user, assistant({ content: 'Let me look.', toolCalls: [call('c1')] }), result];
    expect(await inputOf(messages)).toEqual([
      { role: 'user', content: 'hi' },
      said('Let me look.'),
      wireCall('c1'),
      { type: 'function_call_output', call_id: 'c1', output: '7' },
    ]);
  });

  it('shortens a call id that is longer than the API takes, for the call and its result alike', async () => {
    const id = 'x'.repeat(65);
    const result: Message = { role: 'tool', toolCallId: id, content: '7' };
    const input = (await inputOf([user, assistant({ toolCalls: [call(id)] }), result])) as WireIds[];
    expect(input[1]?.call_id).toMatch(/^call_\w{32}$/);
    expect(input[2]?.call_id).toBe(input[1]?.call_id);
  });

  it('has thinking in its place between text and calls', async () => {
    const message = assistant({
      content: 'One.Two.',
      reasoning: [thought('rs_1'), thought('rs_2', 4), thought('rs_3', 8, 1)],
      toolCalls: [call('a'), call('b')],
    });
    expect(await inputOf([user, message])).toEqual([
      { role: 'user', content: 'hi' },
      item('rs_1'),
      said('One.'),
      item('rs_2'),
      said('Two.'),
      wireCall('a'),
      item('rs_3'),
      wireCall('b'),
    ]);
  });

  it('leaves out thinking of other backends, broken signatures, and thinking at the end of a turn', async () => {
    const other = [
      { text: 'Hm.' },
      { text: 'Hm.', signature: 'anthropic:0.0:S' },
      { text: '', signature: '{"type":"reasoning.encrypted","data":"x"}' },
      { text: '', signature: 'openai-responses:0.0:{"id":}' },
    ];
    const cut = assistant({ reasoning: [thought('rs_1')] });
    const messages = [
      user,
      assistant({ content: 'a', reasoning: [...other, thought('rs_2', 1)] }),
      cut,
      user,
    ];
    expect(await inputOf(messages)).toEqual([
      { role: 'user', content: 'hi' },
      said('a'),
      { role: 'user', content: 'hi' },
    ]);
  });

  it('has thinking back without status, which is output only, and without nulls, but with its summary', async () => {
    const more = { encrypted_content: 'ENC', status: 'completed', content: null, summary: undefined };
    const message = assistant({ content: 'a', reasoning: [thought('rs_1', 0, 0, more)] });
    expect(await inputOf([message, user])).toMatchObject([item('rs_1'), said('a'), user]);
    const [first] = (await inputOf([message, user])) as object[];
    expect(Object.keys(first ?? {}).sort()).toEqual(['encrypted_content', 'id', 'summary', 'type']);
  });

  it('has thinking that is only an id when OpenAI stores it, else not: the id would not be found', async () => {
    const message = assistant({ content: 'a', reasoning: [thought('rs_1', 0, 0, {})] });
    expect(await inputOf([message, user])).toEqual([said('a'), user]);
    expect(await inputOf([message, user], { store: true })).toEqual([
      { type: 'reasoning', id: 'rs_1', summary: [] },
      said('a'),
      user,
    ]);
  });

  it('has open thinking of servers that do not encrypt it', async () => {
    const content = [{ type: 'reasoning_text', text: 'Hm.' }];
    const message = assistant({ content: 'a', reasoning: [thought('rs_1', 0, 0, { content })] });
    expect(await inputOf([message, user])).toMatchObject([{ id: 'rs_1', content }, said('a'), user]);
  });
});

interface WireIds {
  call_id?: string;
}
