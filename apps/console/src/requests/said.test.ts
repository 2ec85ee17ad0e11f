import { expect, it } from 'vitest';
import { messagesIn } from './said.ts';

it('reads the messages of a captured prompt', () => {
  const parts = [
    { type: 'text', text: 'Look' },
    { type: 'text', text: 'there' },
  ];
  const image = [{ type: 'image', url: 'x' }];
  const prompt = JSON.stringify([
    { role: 'system', content: 'Be brief' },
    { role: 'user', content: parts },
    { role: 'user', content: image },
    { role: 'assistant' },
  ]);
  expect(messagesIn(prompt)).toEqual([
    { role: 'system', text: 'Be brief' },
    { role: 'user', text: 'Look\nthere' },
    { role: 'user', text: JSON.stringify(image, null, 2) },
    { role: 'assistant', text: '' },
  ]);
});

it('takes all else for a text', () => {
  expect(['Hi', '[1, 2]', '{"role":"user"}', '[{"role":"user","content":"cut …'].map(messagesIn)).toEqual([
    ...[undefined, undefined, undefined, undefined],
  ]);
});
