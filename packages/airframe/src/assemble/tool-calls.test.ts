import { describe, expect, it } from 'vitest';
import { type ToolCallFragment, ToolCalls } from './tool-calls.ts';

function assemble(...fragments: ToolCallFragment[]) {
  const calls = new ToolCalls();
  for (const fragment of fragments) calls.add(fragment);
  return calls.finish();
}

describe('ToolCalls', () => {
  it('joins interleaved fragments by index', () => {
    const calls = assemble(
      { index: 0, id: 'a', name: 'f', arguments: '{"x"' },
      { index: 1, id: 'b', name: 'g', arguments: '{}' },
      { index: 0, arguments: ':1}' },
    );
    expect(calls).toEqual([
      { id: 'a', name: 'f', arguments: '{"x":1}', input: { x: 1 } },
      { id: 'b', name: 'g', arguments: '{}', input: {} },
    ]);
  });

  it('starts a new call when another id comes at the same index', () => {
    const calls = assemble(
      { index: 0, id: 'a', name: 'f', arguments: '{"x":1}' },
      { index: 0, id: 'b', name: 'f', arguments: '{"x":' },
      { index: 0, arguments: '2}' },
    );
    expect(calls.map(call => call.input)).toEqual([{ x: 1 }, { x: 2 }]);
  });

  it('takes fragments without index to the last open call, or to a new one when the name is new', () => {
    const calls = assemble({ name: 'f', arguments: '{' }, { arguments: '}' }, { name: 'g', arguments: '{}' });
    expect(calls.map(call => [call.name, call.arguments])).toEqual([
      ['f', '{}'],
      ['g', '{}'],
    ]);
  });

  it('takes the name when it comes after pieces of the arguments', () => {
    expect(assemble({ index: 0, arguments: '{"x":' }, { index: 0, name: 'f', arguments: '1}' })).toEqual([
      { id: 'call_0', name: 'f', arguments: '{"x":1}', input: { x: 1 } },
    ]);
  });

  it('does not join ids and names that are repeated in each fragment', () => {
    const [call] = assemble(
      { index: 0, id: 'a', name: 'f' },
      { index: 0, id: 'a', name: 'f', arguments: '{}' },
    );
    expect(call).toMatchObject({ id: 'a', name: 'f' });
  });

  it('gives an id to a call whose id is missing, empty or the word null', () => {
    const ids = assemble({ index: 0, id: 'null', name: 'f' }, { index: 1, id: '', name: 'g' }).map(
      call => call.id,
    );
    expect(ids).toEqual(['call_0', 'call_1']);
  });

  it('takes no arguments as an empty object', () => {
    expect(assemble({ index: 0, name: 'f' })[0]).toMatchObject({ arguments: '{}', input: {} });
  });

  it('keeps arguments that are not JSON and says so', () => {
    const [call] = assemble({ index: 0, name: 'f', arguments: '{"x":' });
    expect(call).toMatchObject({
      arguments: '{"x":',
      parseError: expect.stringContaining('of f are not valid JSON'),
    });
    expect(call).not.toHaveProperty('input');
  });
});
