import { describe, expect, it, vi } from 'vitest';
import { Reply } from '../../assemble/reply.ts';
import { chunk, events, stop } from './__fixtures__/read.ts';
import { createReader } from './stream.ts';

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
    ['type missing', [{ index: 0, id: 'x', ...f('f', '{}') }], [['x', 'f', '{}']]],
    ['id null', [{ index: 0, id: null, ...f('f', '{}') }], [['call_0', 'f', '{}']]],
    ['id empty', [{ index: 0, id: '', ...f('f', '{}') }], [['call_0', 'f', '{}']]],
    [
      'the name after pieces of the arguments (SGLang)',
      [
        { index: 0, id: 'x', ...f(undefined, '{"a"') },
        { index: 0, ...f('f', ':1}') },
      ],
      [['x', 'f', '{"a":1}']],
    ],
    [
      'arguments that are JSON before they are whole',
      [
        { index: 0, id: 'x', ...f('f', '1') },
        { index: 0, ...f(undefined, '2') },
      ],
      [['x', 'f', '12']],
    ],
    [
      'whole calls of one tool, one after the other, with neither index nor id',
      [f('f', '{"a":1}'), f('f', '{"a":2}')],
      [
        ['call_0', 'f', '{"a":1}'],
        ['call_1', 'f', '{"a":2}'],
      ],
    ],
    [
      'the name repeated with each piece, with neither index nor id',
      [f('f', '{"a":'), f('f', '{"b"'), f('f', ':1}}')],
      [['call_0', 'f', '{"a":{"b":1}}']],
    ],
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

  it('whole in one delta, finish_reason in the next chunk (Ollama, Gemini, Mistral)', async () => {
    const call = chunk({ role: 'assistant', content: '', tool_calls: [{ id: 'x', ...f('f', '{"a":1}') }] });
    expect(await events(call, chunk({}, 'tool_calls'))).toMatchObject({
      finishReason: 'tool_calls',
      toolCalls: [{ id: 'x', input: { a: 1 } }],
    });
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
