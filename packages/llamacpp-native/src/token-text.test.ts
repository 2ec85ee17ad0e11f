import { describe, expect, it } from 'vitest';
import { TokenText, tokenBytes } from './token-text.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('tokenBytes', () => {
  it('decodes the byte-level alphabet of GPT-2', () => {
    expect(text(tokenBytes('byte-level', 'normal', 'Ġhello'))).toBe(' hello');
    expect(text(tokenBytes('byte-level', 'normal', 'Ċ'))).toBe('\n');
    expect([...tokenBytes('byte-level', 'normal', 'Ã¤')]).toEqual([0xc3, 0xa4]);
  });

  it('keeps the space in front of punctuation, which detokenize would drop', () => {
    expect(text(tokenBytes('byte-level', 'normal', 'Ġ.'))).toBe(' .');
  });

  it('decodes marked spaces', () => {
    expect(text(tokenBytes('spaces-marked', 'normal', '▁the▁rain'))).toBe(' the rain');
  });

  it('decodes byte tokens', () => {
    expect([...tokenBytes('spaces-marked', 'byte', '<0xE2>')]).toEqual([0xe2]);
  });

  it('gives control tokens no text, and user-defined ones theirs as it stands', () => {
    expect(tokenBytes('byte-level', 'control', '<|im_end|>')).toHaveLength(0);
    expect(text(tokenBytes('spaces-marked', 'user-defined', '<tool>▁'))).toBe('<tool>▁');
  });
});

describe('TokenText', () => {
  it('holds half a character back until the rest comes', () => {
    const bytes = new TextEncoder().encode('a日🚀z');
    const decoder = new TokenText((token: number) => bytes.slice(token, token + 1));
    const pieces = [...bytes.keys()].map(token => decoder.push(token));
    expect(pieces.join('')).toBe('a日🚀z');
    expect(pieces.every(piece => !piece.includes('\ufffd'))).toBe(true);
    expect(pieces.filter(piece => piece !== '')).toEqual(['a', '日', '🚀', 'z']);
  });
});
