import type { Message } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { sse } from '../../../test/scripted-server.ts';
import { answer, infer, messages, serving } from './__fixtures__/served.ts';
import type { WirePart } from './wire.ts';

const { seen, sent, serve } = serving();

const contents = async (...history: Message[]) => (await sent({ messages: history })).body['contents'];
const user = (content: string): Message => ({ role: 'user', content });
const call = (id: string, args = '{}') => ({ id, name: 'wx', arguments: args });
const assistant = (content: string, more: object = {}): Message => ({ role: 'assistant', content, ...more });
const result = (toolCallId: string, content: string, isError = false): Message => ({
  role: 'tool',
  toolCallId,
  content,
  isError,
});

/** What becomes of a reply with these parts, when it goes back in the history. */
async function roundTrip(...chunks: WirePart[][]): Promise<unknown> {
  const endpoint = await serve(sse([...chunks.map(parts => answer(parts)), answer([], 'STOP')]));
  const { message } = await infer(endpoint);
  await infer(endpoint, { messages: [...messages, message as Message] });
  const body = seen()[1]?.body as { contents: { parts: unknown }[] } | undefined;
  return body?.contents[1]?.parts;
}

describe('the history', () => {
  it('lifts system messages out of the chat', async () => {
    const system = (content: string): Message => ({ role: 'system', content });
    const { body } = await sent({ messages: [system('A'), user('x'), system('B'), user('y')] });
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'A' }, { text: 'B' }] },
      contents: [{ role: 'user', parts: [{ text: 'x' }, { text: 'y' }] }],
    });
  });

  it('puts the results of parallel calls into one user turn, under the names of their functions', async () => {
    const calls = assistant('Look:', { toolCalls: [call('a', '{"c":1}'), { ...call('b'), name: 'now' }] });
    const history = [user('x'), calls, result('a', '4'), result('b', 'no clock', true), user('and?')];
    const { body } = await sent({ messages: history, model: 'gemini-2.5-flash' });
    expect(body['contents']).toEqual([
      { role: 'user', parts: [{ text: 'x' }] },
      {
        role: 'model',
        parts: [
          { text: 'Look:' },
          { functionCall: { id: 'a', name: 'wx', args: { c: 1 } } },
          { functionCall: { id: 'b', name: 'now', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'a', name: 'wx', response: { output: '4' } } },
          { functionResponse: { id: 'b', name: 'now', response: { error: 'no clock' } } },
          { text: 'and?' },
        ],
      },
    ]);
  });

  it('takes the latest call for the one that a result answers, where ids come again', async () => {
    const first = assistant('', { toolCalls: [call('call_0')] });
    const second = assistant('', { toolCalls: [{ ...call('call_0'), name: 'now' }] });
    const sentContents = await contents(
      user('x'),
      first,
      result('call_0', '1'),
      second,
      result('call_0', '2'),
    );
    expect(sentContents).toMatchObject([
      {},
      {},
      { parts: [{ functionResponse: { name: 'wx' } }] },
      {},
      { parts: [{ functionResponse: { name: 'now' } }] },
    ]);
  });

  it('refuses a result without its call, naming it', async () => {
    const { error } = await sent({ messages: [user('x'), result('t9', '4')] });
    expect(error).toMatchObject({ category: 'invalid_request', message: expect.stringContaining('t9') });
  });

  it.each(['{"x":', '[1]', 'null', '1'])('refuses arguments %s, naming the call', async args => {
    const { error } = await sent({ messages: [user('x'), assistant('', { toolCalls: [call('t9', args)] })] });
    expect(error).toMatchObject({ category: 'invalid_request', message: expect.stringContaining('t9 (wx)') });
  });

  it('sends data: images inline, and others by address', async () => {
    const image = (url: string) => ({ type: 'image' as const, url });
    const content = [image('data:image/png;base64,AAAA'), image('https://h/a.png')];
    expect(await contents({ role: 'user', content: [{ type: 'text', text: 'see' }, ...content] })).toEqual([
      {
        role: 'user',
        parts: [
          { text: 'see' },
          { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
          { fileData: { fileUri: 'https://h/a.png' } },
        ],
      },
    ]);
    for (const url of ['data:image/svg+xml,<svg/>', 'data:;base64,AA', 'data:image/png']) {
      const { error } = await sent({ messages: [{ role: 'user', content: [image(url)] }] });
      expect(error).toMatchObject({ category: 'invalid_request', message: expect.stringContaining('data:') });
    }
  });

  it('leaves out replies that hold nothing', async () => {
    expect(await contents(user('x'), assistant(''), user('y'))).toEqual([
      { role: 'user', parts: [{ text: 'x' }, { text: 'y' }] },
    ]);
  });
});

describe('signatures', () => {
  it('go back on the call that they came with, the first of parallel ones', async () => {
    const first = { functionCall: { id: 'a', name: 'wx', args: { c: 1 } }, thoughtSignature: 'S' };
    const second = { functionCall: { id: 'b', name: 'wx', args: { c: 2 } } };
    expect(await roundTrip([{ text: 'Look.' }], [first, second])).toEqual([{ text: 'Look.' }, first, second]);
  });

  it('go back on the text that they came with, which is not joined with other text', async () => {
    expect(await roundTrip([{ text: 'The sun ' }], [{ text: 'shines.', thoughtSignature: 'S' }])).toEqual([
      { text: 'The sun ' },
      { text: 'shines.', thoughtSignature: 'S' },
    ]);
    expect(await roundTrip([{ text: 'Sun.' }], [{ text: '', thoughtSignature: 'S' }])).toEqual([
      { text: 'Sun.' },
      { text: '', thoughtSignature: 'S' },
    ]);
  });

  it('go back on thoughts, and in their places among text and calls', async () => {
    const parts = [
      { text: 'One.', thought: true, thoughtSignature: 'A' },
      { text: 'Look. ' },
      { functionCall: { id: 'a', name: 'wx', args: {} }, thoughtSignature: 'B' },
      { text: 'Two.', thought: true, thoughtSignature: 'C' },
      { text: 'And. ', thoughtSignature: 'D:4.5.6:x' },
      { functionCall: { id: 'b', name: 'wx', args: {} }, thoughtSignature: 'E' },
      { text: 'Done.' },
    ];
    expect(await roundTrip(...parts.map(part => [part]))).toEqual(parts);
  });

  it('do not make an unsigned thought their own', async () => {
    const thought = { text: 'Hm.', thought: true };
    expect(await roundTrip([thought, { text: 'a', thoughtSignature: 'S' }])).toEqual([
      { text: 'a', thoughtSignature: 'S' },
    ]);
  });

  it('of other backends stay here, with their thoughts', async () => {
    const reasoning = [
      { text: 'a', signature: 'anthropic:0.0:S' },
      { text: 'b', signature: 'S' },
      { text: 'c' },
    ];
    const toolCalls = [{ ...call('t'), signature: 'openai:xyz' }];
    const history = [user('x'), assistant('y', { reasoning, toolCalls })];
    const { body } = await sent({ messages: history, model: 'gemini-2.5-pro' });
    expect(body['contents']).toMatchObject([
      {},
      { parts: [{ text: 'y' }, { functionCall: { id: 't', name: 'wx', args: {} } }] },
    ]);
    expect(JSON.stringify(body)).not.toContain('thoughtSignature');
  });

  it('are replaced for calls of other backends, which Gemini 3 would refuse', async () => {
    const history = [user('x'), assistant('', { toolCalls: [call('a'), call('b')] })];
    const thoughtSignature = 'skip_thought_signature_validator';
    expect(await contents(...history)).toEqual([
      { role: 'user', parts: [{ text: 'x' }] },
      {
        role: 'model',
        parts: [
          { functionCall: { id: 'a', name: 'wx', args: {} }, thoughtSignature },
          { functionCall: { id: 'b', name: 'wx', args: {} } },
        ],
      },
    ]);
  });
});
