import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapings, inPieces, SEED } from '../../test/cut-json.ts';
import { JsonText } from './json-text.ts';

function read(pieces: string[]): string[] {
  const text = new JsonText();
  return [...pieces.map(piece => text.push(piece)), text.end()];
}

describe('the inside of a JSON string', () => {
  it.each([
    ['plain', ['pl', 'ain'], ['pl', 'ain', '']],
    ['an escape', ['a\\', 'n', 'b'], ['a', '\n', 'b', '']],
    ['a backslash', ['\\\\', 'n', '\\', '\\'], ['\\', 'n', '', '\\', '']],
    ['a character by its number', ['\\u00', 'e4'], ['', 'ä', '']],
    ['a pair', ['\\ud83d', '\\ude', '00'], ['', '', '😀', '']],
    ['half a pair', ['\\ud83d', 'x', '\\ude00'], ['', '\ufffdx', '\ufffd', '']],
    ['half a pair at the end', ['\\ud83d'], ['', '\ufffd']],
    ['half an escape at the end', ['x\\u00'], ['x', '']],
  ])('comes out with %s as soon as it is certain', (_, pieces, texts) => {
    expect(read(pieces)).toEqual(texts);
  });

  it('is what JSON.parse makes of it, however it is written and cut', () => {
    fc.assert(
      fc.property(
        escapings.chain(({ raw, text }) => inPieces(raw).map(pieces => ({ pieces, text }))),
        ({ pieces, text }) => {
          expect(JSON.parse(`"${pieces.join('')}"`)).toBe(text);
          expect(read(pieces).join('')).toBe(text);
        },
      ),
      { seed: SEED },
    );
  });
});
