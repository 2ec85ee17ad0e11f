import { AirframeError } from '@x/airframe';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyPieces, facts, type Piece, type Reply, responseOf, streamOf } from '../__fixtures__/replies.ts';
import { chunksOf, read } from './__fixtures__/grammar.ts';
import { ChatAnswer } from './answer.ts';

const writerOf = (includeUsage = true) => new ChatAnswer(facts, includeUsage);
const answer = (reply: Reply) => read(streamOf(writerOf(), reply));
const call = (index: number, text: string, names: { id?: string; name?: string } = {}): Piece => ({
  call: index,
  arguments: text,
  ...names,
});
const first = { id: 'call_a', name: 'wx' };
const second = { id: 'call_b', name: 'time' };

describe('a stream', () => {
  it('holds thinking, text and calls', () => {
    const pieces: Piece[] = [
      { thinking: 'H' },
      { thinking: 'm' },
      { signature: 'sig' },
      { text: 'Say "é😀"\n' },
      call(0, '{"c"', first),
      call(1, '', second),
      call(0, ':1}'),
      call(1, '[]'),
    ];
    expect(answer({ pieces, finishReason: 'tool_calls' })).toMatchObject({
      reasoning: 'Hm',
      text: 'Say "é😀"\n',
      calls: [
        { ...first, arguments: '{"c":1}' },
        { ...second, arguments: '[]' },
      ],
      finishReason: 'tool_calls',
    });
  });

  it('names id, model and time in each chunk, and begins with the role', () => {
    const chunks = chunksOf(streamOf(writerOf(false), { pieces: [{ text: 'a' }] }));
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({
        id: 'chatcmpl-r1',
        object: 'chat.completion.chunk',
        created: 1_700_000_000,
        model: 'asked',
      });
    }
    expect(chunks[0]?.choices?.[0]?.delta).toEqual({ role: 'assistant', content: '' });
  });

  it('holds the usage in a chunk of its own, where it is asked for', () => {
    const reply = { pieces: [{ text: 'a' }], usage: { cachedTokens: 5, reasoningTokens: 2 } };
    expect(read(streamOf(writerOf(false), reply)).usage).toBeUndefined();
    expect(answer(reply).usage).toEqual({
      prompt_tokens: 20,
      completion_tokens: 7,
      total_tokens: 27,
      prompt_tokens_details: { cached_tokens: 5 },
      completion_tokens_details: { reasoning_tokens: 2 },
      cost: 0.25,
    });
  });

  it('says that a price is unknown', () => {
    expect(answer({ pieces: [], priced: false }).usage).toMatchObject({ cost: null });
  });

  it('gives JSON to a call without arguments, and names to one that has them late or never', () => {
    const pieces = [
      call(0, '', first),
      call(1, '{"x"', { id: 'call_b' }),
      call(1, ':1}', { name: 'time' }),
      call(2, '', { name: 'now' }),
    ];
    expect(answer({ pieces }).calls).toEqual([
      { ...first, arguments: '{}' },
      { ...second, arguments: '{"x":1}' },
      { id: 'call_2', name: 'now', arguments: '{}' },
    ]);
  });

  it('holds calls of a kept answer that did not come one by one', () => {
    const pieces = [call(0, '{}', first)];
    const writer = writerOf();
    expect(read(writer.begin() + writer.end(responseOf({ pieces }))).calls).toEqual([
      { ...first, arguments: '{}' },
    ]);
  });

  it('holds all that came, whatever the order of the pieces', () => {
    fc.assert(
      fc.property(anyPieces, pieces => {
        const named = pieces.map(piece => ('call' in piece ? { ...piece, name: 'f' } : piece));
        const { text, toolCalls } = responseOf({ pieces: named });
        const known = answer({ pieces: named });
        expect(known.text).toBe(text);
        expect(known.calls).toEqual(
          toolCalls.map(({ id, name, arguments: args }) => ({ id, name, arguments: args })),
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe('a stream that breaks off', () => {
  it('ends with an error and without [DONE]', () => {
    const writer = writerOf();
    const stream = writer.begin() + writer.text('a') + writer.fail(new AirframeError('overloaded', 'busy'));
    expect(read(stream)).toMatchObject({
      text: 'a',
      error: { message: 'busy', type: 'overloaded_error', category: 'overloaded', request_id: 'r1' },
    });
  });
});

describe('a whole answer', () => {
  it('holds thinking, text and calls', () => {
    const pieces = [{ thinking: 'Hm' }, { text: 'Let me look.' }, call(0, '{"c":1}', first)];
    expect(writerOf().whole(responseOf({ pieces, finishReason: 'tool_calls' }))).toMatchObject({
      id: 'chatcmpl-r1',
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Let me look.',
            refusal: null,
            reasoning_content: 'Hm',
            tool_calls: [{ id: 'call_a', type: 'function', function: { name: 'wx', arguments: '{"c":1}' } }],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 20, cost: 0.25 },
    });
  });

  it('has null for the text where there are calls alone, and "" where there is nothing', () => {
    const content = (pieces: Piece[]) => writerOf().whole(responseOf({ pieces }));
    expect(content([call(0, '{}', first)])).toMatchObject({ choices: [{ message: { content: null } }] });
    expect(content([])).toMatchObject({ choices: [{ message: { content: '' }, finish_reason: 'stop' }] });
  });
});
