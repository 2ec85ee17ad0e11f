import { AirframeError } from '@x/airframe';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anyPieces,
  eventsOf,
  facts,
  type Piece,
  type Reply,
  responseOf,
  streamOf,
} from '../__fixtures__/replies.ts';
import { read } from './__fixtures__/grammar.ts';
import { ResponseWriter } from './answer.ts';
import type { ThinkingForm } from './items.ts';

const writerOf = (form: ThinkingForm = 'reasoning_text') => new ResponseWriter(facts, { store: false }, form);
const answer = (reply: Reply, form?: ThinkingForm) => read(streamOf(writerOf(form), reply)).response;
const call = (index: number, text: string, names: { id?: string; name?: string } = {}): Piece => ({
  call: index,
  arguments: text,
  ...names,
});
const first = { id: 'call_0', name: 'wx' };
const second = { id: 'call_1', name: 'time' };
const message = (index: number, text: string) =>
  expect.objectContaining({
    id: `msg_r1_${index}`,
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  });
const functionCall = (index: number, args: string, { id, name }: typeof first) => ({
  id: `fc_r1_${index}`,
  type: 'function_call',
  call_id: id,
  name,
  arguments: args,
  status: 'completed',
});

describe('a stream', () => {
  const pieces: Piece[] = [
    { thinking: 'H' },
    { thinking: 'm' },
    { signature: 'sig' },
    { text: 'Let me "look".\n' },
    { text: 'é😀' },
    call(0, '', first),
    call(0, '{"c"'),
    call(0, ':1}'),
  ];

  it('has an item for each kind of output, in the order in which they come', () => {
    const { id, model, status, output } = answer({ pieces });
    expect({ id, model, status }).toEqual({ id: 'resp_r1', model: 'answering', status: 'completed' });
    expect(output).toEqual([
      {
        id: 'rs_r1_0',
        type: 'reasoning',
        summary: [],
        content: [{ type: 'reasoning_text', text: 'Hm' }],
        encrypted_content: 'sig',
      },
      message(1, 'Let me "look".\né😀'),
      functionCall(2, '{"c":1}', first),
    ]);
  });

  it('names its events as the API does', () => {
    const one = { pieces: [{ thinking: 'H' }, { text: 'a' }, call(0, '{}', first)] };
    const names = (form: ThinkingForm) => eventsOf(streamOf(writerOf(form), one)).map(({ name }) => name);
    expect(names('reasoning_text').map(name => name.replace('response.', ''))).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'reasoning_text.delta',
      'reasoning_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'completed',
    ]);
    expect(names('summary_text').slice(3, 7)).toEqual([
      'response.reasoning_summary_part.added',
      'response.reasoning_summary_text.delta',
      'response.reasoning_summary_text.done',
      'response.reasoning_summary_part.done',
    ]);
  });

  it('shows thinking as a summary where one was asked for', () => {
    expect(answer({ pieces }, 'summary_text').output[0]).toEqual({
      id: 'rs_r1_0',
      type: 'reasoning',
      summary: [{ type: 'summary_text', text: 'Hm' }],
      encrypted_content: 'sig',
    });
  });

  it('writes calls side by side whose pieces are mixed, also with text', () => {
    const mixed = [
      call(0, '{"a"', first),
      call(1, '{"b"', second),
      { text: 'And' },
      call(0, ':1}'),
      call(1, ':2}'),
    ];
    expect(answer({ pieces: mixed }).output).toEqual([
      functionCall(0, '{"a":1}', first),
      functionCall(1, '{"b":2}', second),
      message(2, 'And'),
    ]);
  });

  it('announces a call when its name is known, or when it is finished', () => {
    const late = [call(0, '{"a"', { id: 'call_0' }), call(0, ':1}', { name: 'wx' }), call(1, '{}')];
    expect(answer({ pieces: late }).output).toEqual([
      functionCall(0, '{"a":1}', first),
      functionCall(1, '{}', { id: 'call_1', name: '' }),
    ]);
  });

  it('writes calls that come without pieces', () => {
    const writer = writerOf();
    const response = responseOf({ pieces: [call(0, '{"a":1}', first)] });
    const { output } = read(writer.begin() + writer.end(response)).response;
    expect(output).toEqual([functionCall(0, '{"a":1}', first)]);
  });

  it('holds all that came, whatever the order of the pieces', () => {
    const form = fc.constantFrom<ThinkingForm>('reasoning_text', 'summary_text');
    fc.assert(
      fc.property(anyPieces, form, (all, thinking) => {
        const { output } = answer({ pieces: all }, thinking);
        const response = responseOf({ pieces: all });
        const texts = output.map(item => (item.type === 'message' ? item.content[0]?.text : ''));
        expect(texts.join('')).toBe(response.text);
        const calls = output.flatMap(item => (item.type === 'function_call' ? [item.arguments] : []));
        expect(calls.sort()).toEqual(response.toolCalls.map(one => one.arguments).sort());
      }),
      { numRuns: 200 },
    );
  });
});

describe('the end', () => {
  it.each([
    ['stop', 'completed', null],
    ['tool_calls', 'completed', null],
    ['length', 'incomplete', { reason: 'max_output_tokens' }],
    ['content_filter', 'incomplete', { reason: 'content_filter' }],
  ] as const)('after %s is %s', (finishReason, status, incomplete_details) => {
    const reply: Reply = { pieces: [{ text: 'a' }], finishReason };
    const end = { status, incomplete_details, output: [expect.objectContaining({ status })] };
    expect(answer(reply)).toMatchObject(end);
    expect(writerOf().whole(responseOf(reply))).toMatchObject(end);
  });

  it('counts tokens, and tells what the call cost', () => {
    const usage = { cachedTokens: 15, cacheWriteTokens: 2, reasoningTokens: 3 };
    expect(answer({ pieces: [], usage }).usage).toEqual({
      input_tokens: 20,
      input_tokens_details: { cached_tokens: 15, cache_write_tokens: 2 },
      output_tokens: 7,
      output_tokens_details: { reasoning_tokens: 3 },
      total_tokens: 27,
      cost: 0.25,
    });
    expect(answer({ pieces: [], priced: false }).usage).toMatchObject({ cost: null });
  });
});

describe('an answer that breaks off', () => {
  it('ends with an error and response.failed, never with response.completed', () => {
    const writer = writerOf();
    const error = new AirframeError('context_length', 'the prompt is too long');
    const stream = writer.begin() + writer.text('a') + writer.fail(error);
    const told = { code: 'context_length_exceeded', message: 'the prompt is too long' };
    const result = read(stream + writer.text('b') + writer.end(responseOf({ pieces: [] })));
    expect(result.response).toMatchObject({ status: 'failed', error: told, usage: null });
    expect(result.error).toMatchObject({
      ...told,
      param: null,
      error: { ...told, type: 'invalid_request_error', param: null },
    });
  });
});

describe('a whole answer', () => {
  it('has thinking, text and calls', () => {
    const pieces: Piece[] = [
      { thinking: 'Hm' },
      { signature: 'sig' },
      { text: 'Hi' },
      call(0, '{"a":1}', first),
      call(1, '{"a', second),
    ];
    expect(writerOf().whole(responseOf({ pieces }))).toMatchObject({
      id: 'resp_r1',
      object: 'response',
      created_at: 1_700_000_000,
      model: 'answering',
      status: 'completed',
      error: null,
      store: false,
      output: [
        { id: 'rs_r1_0', content: [{ type: 'reasoning_text', text: 'Hm' }], encrypted_content: 'sig' },
        message(1, 'Hi'),
        functionCall(2, '{"a":1}', first),
        { ...functionCall(3, '{"a', second), status: 'incomplete' },
      ],
    });
  });
});
