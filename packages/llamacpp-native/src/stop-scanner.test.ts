import { describe, expect, it } from 'vitest';
import { StopScanner } from './stop-scanner.ts';

/** Feeds pieces; returns all that got through and whether a stop sequence was met. */
function scan(stops: string[], pieces: string[]): { text: string; stopped: boolean } {
  const scanner = new StopScanner(stops);
  let text = '';
  for (const piece of pieces) {
    const result = scanner.push(piece);
    text += result.text;
    if (result.stopped) return { text, stopped: true };
  }
  return { text: text + scanner.flush(), stopped: false };
}

describe('StopScanner', () => {
  it('cuts at a stop sequence in any split', () => {
    const whole = 'one END two';
    for (let a = 0; a <= whole.length; a++) {
      for (let b = a; b <= whole.length; b++) {
        const pieces = [whole.slice(0, a), whole.slice(a, b), whole.slice(b)];
        expect(scan(['END'], pieces)).toEqual({ text: 'one ', stopped: true });
      }
    }
  });

  it('lets text through that only began like a stop sequence', () => {
    expect(scan(['END'], ['EN', 'EMY', ' E', 'N'])).toEqual({ text: 'ENEMY EN', stopped: false });
  });

  it('finds a stop sequence that begins inside a false start', () => {
    expect(scan(['aab'], ['a', 'a', 'a', 'b', 'c'])).toEqual({ text: 'a', stopped: true });
  });

  it('takes the first of several in the text, whatever their order in the list', () => {
    expect(scan(['late', 'early'], ['so early and late'])).toEqual({ text: 'so ', stopped: true });
  });

  it('holds nothing back that cannot be the beginning of a stop sequence', () => {
    const scanner = new StopScanner(['\n\n']);
    expect(scanner.push('line').text).toBe('line');
    expect(scanner.push('\n').text).toBe('');
    expect(scanner.push('next').text).toBe('\nnext');
  });

  it('does nothing without stop sequences', () => {
    expect(scan([], ['a', 'b'])).toEqual({ text: 'ab', stopped: false });
  });
});
