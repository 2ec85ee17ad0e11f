import { AirframeError } from '@x/airframe';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyPieces, facts, type Piece, type Reply, responseOf, streamOf } from '../__fixtures__/replies.ts';
import { read } from './__fixtures__/grammar.ts';
import { MessageWriter } from './answer.ts';

const answer = (reply: Reply) => read(streamOf(new MessageWriter(facts), reply));
const call = (index: number, text: string, names: { id?: string; name?: string } = {}): Piece => ({
  call: index,
  arguments: text,
  ...names,
});
const first = { id: 'call_0', name: 'wx' };
const second = { id: 'call_1', name: 'time' };

describe('a stream', () => {
  it('has a block for each kind of output, in the order in which they come', () => {
    const { blocks, stopReason } = answer({
      pieces: [
        { thinking: 'Hm' },
        { thinking: 'm' },
        { signature: 'sig' },
        { text: 'Let me "look".\n' },
        { text: 'é😀' },
        call(0, '', first),
        call(0, '{"c"'),
        call(0, ':1}'),
      ],
    });
    expect(blocks).toEqual([
      { type: 'thinking', text: 'Hmm', signature: 'sig' },
      { type: 'text', text: 'Let me "look".\né😀' },
      { type: 'tool_use', text: '{"c":1}', ...first },
    ]);
    expect(stopReason).toBe('tool_use');
  });

  it('writes calls one after the other whose pieces are mixed', () => {
    const pieces = [call(0, '{"a"', first), call(1, '{"b"', second), call(0, ':1}'), call(1, ':2}')];
    expect(answer({ pieces }).blocks).toEqual([
      { type: 'tool_use', text: '{"a":1}', ...first },
      { type: 'tool_use', text: '{"b":2}', ...second },
    ]);
  });

  it('writes text that comes between the pieces of a call behind it', () => {
    const pieces = [call(0, '{"a"', first), { text: 'And ' }, call(0, ':1}'), { text: 'so on' }];
    expect(answer({ pieces }).blocks).toEqual([
      { type: 'tool_use', text: '{"a":1}', ...first },
      { type: 'text', text: 'And so on' },
    ]);
  });

  it('begins a call when its name is known, or when it is finished', () => {
    const pieces = [call(0, '{"a"', { id: 'call_0' }), call(0, ':1}', { name: 'wx' }), call(1, '{}')];
    expect(answer({ pieces }).blocks).toEqual([
      { type: 'tool_use', text: '{"a":1}', ...first },
      { type: 'tool_use', text: '{}', id: 'call_1' },
    ]);
  });

  it('writes calls that come without pieces', () => {
    const writer = new MessageWriter(facts);
    const response = responseOf({ pieces: [call(0, '{"a":1}', first)] });
    expect(read(writer.begin() + writer.end(response)).blocks).toEqual([
      { type: 'tool_use', text: '{"a":1}', ...first },
    ]);
  });

  it('tells thinking that is not shown as redacted, also in the midst of text', () => {
    expect(answer({ pieces: [{ text: 'a' }, { signature: 'sig' }, { text: 'b' }] }).blocks).toEqual([
      { type: 'text', text: 'a' },
      { type: 'redacted_thinking', text: '', signature: 'sig' },
      { type: 'text', text: 'b' },
    ]);
  });

  it('is well-formed without any output', () => {
    expect(answer({ pieces: [] })).toMatchObject({ blocks: [], stopReason: 'end_turn' });
  });

  it('holds all that came, whatever the order of the pieces', () => {
    fc.assert(
      fc.property(anyPieces, pieces => {
        const { blocks } = answer({ pieces });
        const response = responseOf({ pieces });
        const joined = (type: string) => blocks.filter(block => block.type === type).map(({ text }) => text);
        expect(joined('text').join('')).toBe(response.text);
        expect(joined('tool_use').sort()).toEqual(response.toolCalls.map(one => one.arguments).sort());
        const thinking = response.metadata.message?.reasoning ?? [];
        expect(joined('thinking').join('')).toBe(thinking.map(({ text }) => text).join(''));
      }),
      { numRuns: 200 },
    );
  });
});

describe('the end', () => {
  it.each([
    ['stop', 'end_turn'],
    ['length', 'max_tokens'],
    ['tool_calls', 'tool_use'],
    ['content_filter', 'refusal'],
  ] as const)('after %s has the stop reason %s', (finishReason, stopReason) => {
    const reply: Reply = { pieces: [{ text: 'a' }], finishReason };
    expect(answer(reply).stopReason).toBe(stopReason);
    expect(new MessageWriter(facts).whole(responseOf(reply)).stop_reason).toBe(stopReason);
  });

  it('counts the parts of the prompt apart, and tells what the call cost', () => {
    const usage = {
      promptTokens: 100,
      cachedTokens: 60,
      cacheWriteTokens: 30,
      cacheWrite1hTokens: 10,
      reasoningTokens: 3,
    };
    expect(answer({ pieces: [], usage }).usage).toEqual({
      input_tokens: 10,
      cache_read_input_tokens: 60,
      cache_creation_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 10 },
      output_tokens: 7,
      output_tokens_details: { thinking_tokens: 3 },
      cost: 0.25,
    });
    expect(answer({ pieces: [], priced: false }).usage).toMatchObject({ cost: null });
  });
});

describe('an answer that breaks off', () => {
  it('ends with an error, never with message_stop', () => {
    const writer = new MessageWriter(facts);
    const stream = writer.begin() + writer.text('a') + writer.fail(new AirframeError('overloaded', 'full'));
    expect(() => read(stream + writer.text('b') + writer.end(responseOf({ pieces: [] })))).not.toThrow();
    expect(read(stream).error).toEqual({
      type: 'error',
      error: { type: 'overloaded_error', message: 'full' },
      request_id: 'r1',
    });
  });
});

describe('a whole answer', () => {
  it('has thinking, text and calls', () => {
    const pieces: Piece[] = [
      { thinking: 'Hm' },
      { signature: 'sig' },
      { signature: 'hidden' },
      { text: 'Hi' },
      call(0, '{"a":1}', first),
      call(1, '{"a', second),
    ];
    expect(new MessageWriter(facts).whole(responseOf({ pieces }))).toEqual({
      id: 'msg_r1',
      type: 'message',
      role: 'assistant',
      model: 'answering',
      content: [
        { type: 'thinking', thinking: 'Hm', signature: 'sig' },
        { type: 'redacted_thinking', data: 'hidden' },
        { type: 'text', text: 'Hi' },
        { type: 'tool_use', ...first, input: { a: 1 } },
        { type: 'tool_use', ...second, input: { INVALID_JSON: '{"a' } },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: expect.objectContaining({ input_tokens: 20, output_tokens: 7 }),
    });
  });
});
