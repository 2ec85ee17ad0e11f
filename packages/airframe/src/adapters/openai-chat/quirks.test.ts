import { describe, expect, it, vi } from 'vitest';
import { Reply } from '../../assemble/reply.ts';
import { collect, type InferenceResult } from '../../collect.ts';
import type { StreamReader } from '../../transport/exchange.ts';
import { createReader } from './stream.ts';

/** What a reader makes of these chunks, without a socket: framing has its tests in stream.test.ts. */
async function read(feed: (reader: StreamReader) => void): Promise<InferenceResult> {
  const reply = new Reply('chat');
  feed(createReader(reply));
  reply.end();
  return collect(
    (async function* () {
      yield* reply.events;
    })(),
    { throwOnError: false },
  );
}
const events = (...chunks: object[]) =>
  read(reader => {
    for (const chunk of chunks) reader.event(JSON.stringify(chunk), undefined);
  });

const chunk = (delta: unknown, finish: string | null = null) => ({
  id: 'c1',
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const stop = chunk({}, 'stop');

describe('choices and deltas', () => {
  it.each([
    ['choices empty', { choices: [] }],
    ['choices absent', { id: 'c1' }],
    ['choices null', { choices: null }],
    ['delta null', chunk(null)],
    ['delta missing (Azure’s filter frames)', { choices: [{ index: 0, finish_reason: null }] }],
    ['role on every chunk', chunk({ role: 'assistant', content: '' })],
    ['role empty', chunk({ role: '', content: null })],
    ['finish_reason empty', chunk({ content: '' }, '')],
    ['finish_reason absent', { choices: [{ delta: {} }] }],
    ['other choices', { choices: [{ index: 1, delta: { content: 'no' }, finish_reason: 'length' }] }],
  ])('%s', async (_quirk, odd) => {
    expect(await events(odd, chunk({ content: 'a' }), odd, stop)).toMatchObject({
      text: 'a',
      finishReason: 'stop',
      responseId: 'c1',
      model: 'm',
    });
  });

  it.each([
    ['stop', 'stop'],
    ['eos', 'stop'],
    ['load', 'stop'],
    ['constructor', 'stop'],
    ['length', 'length'],
    ['model_length', 'length'],
    ['function_call', 'tool_calls'],
    ['content_filter', 'content_filter'],
  ])('finish_reason %s is %s', async (word, reason) => {
    expect(await events(chunk({ content: 'a' }, word))).toMatchObject({ text: 'a', finishReason: reason });
  });

  it('a content filter that strikes after stop (Azure)', async () => {
    const late = { id: '', model: '', choices: [{ index: 0, finish_reason: 'content_filter' }] };
    expect(await events(chunk({ content: 'a' }), stop, late)).toMatchObject({
      finishReason: 'content_filter',
      responseId: 'c1',
    });
  });

  it('a refusal is text, and the finish reason stays', async () => {
    expect(
      await events(chunk({ content: null, refusal: 'I can' }), chunk({ refusal: 'not.' }), stop),
    ).toMatchObject({
      text: 'I cannot.',
      finishReason: 'stop',
    });
  });

  it('content as array of parts with thinking (Mistral)', async () => {
    const thinking = [{ type: 'text', text: 'hm' }];
    const parts = [
      { type: 'thinking', thinking },
      { type: 'text', text: 'a' },
      { type: 'reference', reference_ids: [1] },
      { type: 'image_url', image_url: 'x' },
    ];
    expect(await events(chunk({ content: parts }), chunk({ content: 'b' }), stop)).toMatchObject({
      reasoning: 'hm',
      text: 'ab',
    });
  });

  it('text of /completions', async () => {
    expect(await events({ choices: [{ index: 0, text: 'a', finish_reason: 'length' }] })).toMatchObject({
      text: 'a',
      finishReason: 'length',
    });
  });

  it('the service tier that was used', async () => {
    expect(await events({ ...stop, service_tier: 'flex' })).toMatchObject({ serviceTier: 'flex' });
  });
});

describe('reasoning', () => {
  it.each([
    ['reasoning_content', { reasoning_content: 'hm' }],
    ['reasoning', { reasoning: 'hm' }],
    ['both with the same text (Together): never both', { reasoning_content: 'hm', reasoning: 'hm' }],
    ['one of them empty', { reasoning_content: '', reasoning: 'hm' }],
    [
      'beside reasoning_details (OpenRouter)',
      { reasoning: 'hm', reasoning_details: [{ type: 'reasoning.text', text: 'hm' }] },
    ],
    ['reasoning_details alone', { reasoning_details: [{ type: 'reasoning.summary', summary: 'hm' }] }],
  ])('%s', async (_quirk, delta) => {
    expect(await events(chunk(delta), stop)).toMatchObject({ reasoning: 'hm' });
  });

  it('the signature in reasoning_details is kept for the next turn', async () => {
    const detail = { type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0 };
    const { message } = await events(
      chunk({ reasoning: 'h', reasoning_details: [{ ...detail, text: 'h' }] }),
      chunk({ reasoning: 'm', reasoning_details: [{ ...detail, text: 'm' }] }),
      chunk({ reasoning_details: [{ ...detail, signature: 'S' }] }),
      chunk({ reasoning_details: [{ type: 'reasoning.encrypted', data: 'D' }] }),
      stop,
    );
    expect(message?.reasoning).toEqual([
      { text: 'hm', signature: JSON.stringify({ ...detail, signature: 'S' }) },
      { text: '', signature: '{"type":"reasoning.encrypted","data":"D"}' },
    ]);
  });
});

describe('tool calls', () => {
  const f = (name?: string, args?: unknown) => ({ function: { ...(name ? { name } : {}), arguments: args } });
  const callsOf = async (...fragments: object[]) => {
    const result = await events(...fragments.map(one => chunk({ tool_calls: [one] })), stop);
    return result.toolCalls.map(({ id, name, arguments: args }) => [id, name, args]);
  };

  it.each([
    ['index missing', [{ id: 'x', ...f('f', '{"a"') }, f(undefined, ':1}')], [['x', 'f', '{"a":1}']]],
    [
      'index null',
      [
        { index: null, id: 'x', ...f('f', '{}') },
        { index: null, id: 'y', ...f('g', '{}') },
      ],
      [
        ['x', 'f', '{}'],
        ['y', 'g', '{}'],
      ],
    ],
    [
      'index all 0 with different ids',
      [
        { index: 0, id: 'x', ...f('f', '{}') },
        { index: 0, id: 'y', ...f('f', '{}') },
      ],
      [
        ['x', 'f', '{}'],
        ['y', 'f', '{}'],
      ],
    ],
    ['Mistral’s default id "null"', [{ index: 0, id: 'null', ...f('f', '{}') }], [['call_0', 'f', '{}']]],
    [
      'id and name repeated',
      [
        { index: 0, id: 'x', ...f('f', '{') },
        { index: 0, id: 'x', ...f('f', '}') },
      ],
      [['x', 'f', '{}']],
    ],
    ['arguments an object', [{ index: 0, id: 'x', ...f('f', { a: 1 }) }], [['x', 'f', '{"a":1}']]],
    ['arguments empty', [{ index: 0, id: 'x', ...f('f', '') }], [['x', 'f', '{}']]],
    ['arguments null', [{ index: 0, id: 'x', ...f('f', null) }], [['x', 'f', '{}']]],
    [
      'function null in a later piece',
      [
        { index: 0, id: 'x', ...f('f', '{}') },
        { index: 0, function: null },
      ],
      [['x', 'f', '{}']],
    ],
  ])('%s', async (_quirk, fragments, expected) => {
    expect(await callsOf(...fragments)).toEqual(expected);
  });

  it('two calls of one tool at once, with neither index nor id', async () => {
    const calls = [f('f', '{"a":1}'), f('f', '{"a":2}')];
    const { toolCalls } = await events(chunk({ tool_calls: calls }, 'tool_calls'));
    expect(toolCalls).toMatchObject([{ input: { a: 1 } }, { input: { a: 2 } }]);
  });

  it('with finish_reason stop end as tool_calls (vLLM, a forced tool)', async () => {
    const call = chunk({ tool_calls: [{ index: 0, id: 'x', ...f('f', '{}') }] }, 'stop');
    expect(await events(call)).toMatchObject({ finishReason: 'tool_calls', toolCalls: [{ input: {} }] });
  });

  it('unknown keys that have to come back (Gemini) go into the signature', () => {
    const reply = new Reply('chat');
    const toolCall = vi.spyOn(reply, 'toolCall');
    const extra_content = { google: { thought_signature: 'T' } };
    const call = { index: 0, id: 'x', ...f('f', '{}'), extra_content };
    createReader(reply).event(JSON.stringify(chunk({ tool_calls: [call] })), undefined);
    expect(toolCall.mock.calls).toMatchObject([[{ signature: JSON.stringify({ extra_content }) }]]);
  });
});
