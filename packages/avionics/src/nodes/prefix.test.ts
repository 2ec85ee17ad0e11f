import type { Message } from '@x/airframe';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_CHARS, prefixOfText, promptPrefix } from './prefix.ts';

const text = fc.string({ maxLength: 5 * BLOCK_CHARS, size: 'max' });

describe('promptPrefix', () => {
  it('keeps all blocks of a history that grows', () => {
    const system: Message = { role: 'system', content: 'You are a pilot. '.repeat(40) };
    const question: Message = { role: 'user', content: 'Where are we? '.repeat(40) };
    const answer: Message = {
      role: 'assistant',
      content: 'Over the sea.',
      toolCalls: [{ id: 'c1', name: 'position', arguments: '{}' }],
    };
    const result: Message = { role: 'tool', toolCallId: 'c1', content: '54.1 N' };
    const before = promptPrefix({ messages: [system, question] });
    const after = promptPrefix({ messages: [system, question, answer, result, question] });
    expect(before.hashes.length).toBeGreaterThan(3);
    expect(after.hashes.slice(0, before.hashes.length)).toEqual(before.hashes);
    expect(after.tokens).toBeGreaterThan(before.tokens);
  });

  it('tells another system message, other tools and another model from the first block on', () => {
    const messages: Message[] = [{ role: 'system', content: 'a'.repeat(600) }];
    const tools = [{ name: 'position', parameters: { type: 'object' } }];
    const [plain, withTools, ofModel] = [{}, { tools }, { model: 'pilot' }].map(
      more => promptPrefix({ messages, ...more }).hashes[0],
    );
    const other = promptPrefix({ messages: [{ role: 'system', content: `b${'a'.repeat(599)}` }] }).hashes[0];
    expect(new Set([plain, withTools, ofModel, other]).size).toBe(4);
  });

  it('takes images into account without reading megabytes', () => {
    const seen = (url: string) =>
      promptPrefix({ messages: [{ role: 'user', content: [{ type: 'image', url }] }] });
    const url = (middle: string) => `data:image/png;base64,${'x'.repeat(200)}${middle}${'y'.repeat(200)}`;
    expect(seen(url('a'))).toEqual(seen(url('b')));
    expect(seen(url('a')).hashes).not.toEqual(seen(url('bb')).hashes);
  });

  it('agrees with another text on exactly the blocks they share', () => {
    fc.assert(
      fc.property(text, text, (one, two) => {
        const [a, b] = [prefixOfText(one).hashes, prefixOfText(two).hashes];
        for (let block = 0; block < Math.min(a.length, b.length); block++) {
          const end = (block + 1) * BLOCK_CHARS;
          expect(a[block] === b[block]).toBe(one.slice(0, end) === two.slice(0, end));
        }
      }),
    );
  });
});
