import type { FinishReason, ToolCallFragment } from '@x/airframe';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapings, inPieces, SEED } from '../../test/cut-json.ts';
import { AnswerReader } from './answer-reader.ts';

interface Read {
  text: string;
  calls: { id: string; name: string; arguments: string }[];
  finished: FinishReason[];
}

/** What a reader makes of an answer in these pieces. */
function read(pieces: readonly string[], end: FinishReason = 'stop', stop: string[] = []): Read {
  const found: Read = { text: '', calls: [], finished: [] };
  const reader = new AnswerReader(
    {
      text: text => {
        found.text += text;
      },
      toolCall: fragment => add(found.calls, fragment),
      finish: reason => found.finished.push(reason),
    },
    stop,
  );
  for (const piece of pieces) reader.push(piece);
  reader.end(end);
  return found;
}

function add(calls: Read['calls'], fragment: ToolCallFragment): void {
  const at = fragment.index ?? 0;
  calls[at] ??= { id: '', name: '', arguments: '' };
  calls[at].id += fragment.id ?? '';
  calls[at].name += fragment.name ?? '';
  calls[at].arguments += fragment.arguments ?? '';
}

const blank = fc.constantFrom('', '', ' ', '\n\n    ', '\t');

/** JSON text of a value, with blanks wherever they may be. */
function spaced(json: string): fc.Arbitrary<string> {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g) ?? [];
  return fc
    .array(blank, { minLength: tokens.length + 1, maxLength: tokens.length + 1 })
    .map(blanks => blanks.map((space, at) => space + (tokens[at] ?? '')).join(''));
}

const call = fc.record({
  name: fc.constantFrom('climb', 'look_up', 'x-1'),
  arguments: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), fc.jsonValue()),
});
const calls = fc.array(call, { minLength: 1, maxLength: 3 });
const cut = (json: string) => spaced(json).chain(inPieces);

describe('an answer of calls', () => {
  it('comes out whole, however it is spaced and cut', () => {
    fc.assert(
      fc.property(
        calls.chain(made => cut(JSON.stringify({ tool_calls: made })).map(pieces => ({ made, pieces }))),
        ({ made, pieces }) => {
          const found = read(pieces);
          expect(
            found.calls.map(({ name, arguments: text }) => ({ name, arguments: JSON.parse(text) })),
          ).toEqual(JSON.parse(JSON.stringify(made)));
          expect(new Set(found.calls.map(({ id }) => id)).size).toBe(made.length);
          expect(found).toMatchObject({ text: '', finished: ['stop'] });
        },
      ),
      { seed: SEED },
    );
  });

  it('comes out in pieces, as it comes in', () => {
    const fragments: ToolCallFragment[] = [];
    const reader = new AnswerReader({ text: () => {}, finish: () => {}, toolCall: f => fragments.push(f) });
    for (const piece of ['{"tool_calls": [{"name": "cl', 'imb", "arguments": {"fe', 'et": 3}', '}]}']) {
      reader.push(piece);
    }
    expect(fragments).toEqual([
      { index: 0, id: expect.stringMatching(/^call_.{36}$/), name: 'climb' },
      { index: 0, arguments: '{"fe' },
      { index: 0, arguments: 'et": 3}' },
    ]);
  });

  it('may have its keys the other way round', () => {
    const { calls } = read([
      '{"tool_calls":[{"arguments": 1.5 , "name":"climb"},{"name":"x","arguments":"a,}"}]}',
    ]);
    expect(calls).toMatchObject([
      { name: 'climb', arguments: '1.5' },
      { name: 'x', arguments: '"a,}"' },
    ]);
  });
});

describe('an answer in words', () => {
  it('is decoded as it comes, however it is written and cut', () => {
    fc.assert(
      fc.property(
        escapings.chain(({ raw, text }) =>
          fc.tuple(blank, blank).chain(([before, after]) =>
            inPieces(`${before}{${after}"response":${before}"${raw}"${after}}${before}`).map(pieces => ({
              pieces,
              text,
            })),
          ),
        ),
        ({ pieces, text }) => {
          expect(read(pieces)).toEqual({ text, calls: [], finished: ['stop'] });
        },
      ),
      { seed: SEED },
    );
  });

  it('ends in front of a stop sequence that is said, not at one in the way it is written', () => {
    const pieces = ['{"response": "one\\n', 'tw', 'o {three}"', '}'];
    expect(read(pieces, 'stop', ['"', 'ponse'])).toMatchObject({
      text: 'one\ntwo {three}',
      finished: ['stop'],
    });
    expect(read(pieces, 'length', ['\ntwo'])).toMatchObject({ text: 'one', finished: ['stop'] });
    expect(read(pieces, 'length', ['two {three} four'])).toMatchObject({ text: 'one\ntwo {three}' });
  });
});

describe('an answer that is cut', () => {
  it('is told as far as it goes, and has no end but its own', () => {
    const answers = fc.oneof(
      calls.map(made => JSON.stringify({ tool_calls: made })),
      escapings.map(({ raw }) => `{"response":"${raw}"}`),
    );
    fc.assert(
      fc.property(
        answers.chain(json => fc.tuple(fc.constant(json), fc.nat(json.length - 1))),
        ([json, length]) => {
          const [whole, part] = [read([json]), read([json.slice(0, length)], 'length')];
          expect(part.finished).toEqual(['length']);
          expect(whole.text.startsWith(part.text.replace(/\ufffd$/, ''))).toBe(true);
          part.calls.forEach(({ name, arguments: text }, at) => {
            expect(whole.calls[at]?.name).toBe(name);
            expect(whole.calls[at]?.arguments.startsWith(text)).toBe(true);
          });
        },
      ),
      { seed: SEED },
    );
  });

  it('is whole when only what does not matter is missing', () => {
    expect(read(['{"response": "yes"}\n'], 'length').finished).toEqual(['stop']);
  });

  it('is an error when the model says that this was all', () => {
    for (const pieces of [['{"response": "y'], ['{"tool_calls": [{"name":'], ['yes'], []]) {
      expect(() => read(pieces, 'stop')).toThrow(expect.objectContaining({ category: 'parse' }));
    }
  });
});
