import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlainChat } from './plain.ts';
import { chatRequestSchema } from './wire.ts';

const few = (...values: unknown[]) => fc.constantFrom(...values);
const anything = few(undefined, null, '', 'x', 0, -1, 0.5, 1, 7, 1e300, Number.NaN, true, false, [], {}, [
  'x',
]);
const sometimes = (arbitrary: fc.Arbitrary<unknown>) => fc.oneof({ weight: 4, arbitrary }, anything);

const message = fc.oneof(
  fc.record(
    {
      role: few('system', 'developer', 'user', 'assistant', 'tool', 'x', undefined),
      content: sometimes(fc.string()),
      tool_calls: anything,
      tool_call_id: anything,
    },
    { requiredKeys: ['role', 'content'] },
  ),
  anything,
);

const body = fc.record(
  {
    model: sometimes(fc.string()),
    messages: sometimes(fc.array(message, { maxLength: 3 })),
    stream: sometimes(fc.boolean()),
    stream_options: sometimes(fc.record({ include_usage: sometimes(fc.boolean()) }, { requiredKeys: [] })),
    temperature: sometimes(fc.double()),
    top_p: sometimes(fc.double({ min: 0, max: 1 })),
    max_tokens: sometimes(fc.integer()),
    max_completion_tokens: sometimes(fc.integer()),
    seed: anything,
    n: anything,
  },
  { requiredKeys: ['messages'] },
);

describe('a plain chat', () => {
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
  ];

  it('is one of texts and a few figures', () => {
    const asked = { model: 'm', messages, stream: true, stream_options: { include_usage: true } };
    expect(isPlainChat({ ...asked, temperature: 0.2, top_p: 1, max_tokens: 9 })).toBe(true);
    for (const more of [
      { stream_options: [] },
      { tools: [] },
      { seed: 1 },
      { max_tokens: 0 },
      { stream: null },
      { user: 'x' },
    ]) {
      expect(isPlainChat({ ...asked, ...more })).toBe(false);
    }
  });

  it('is none that its schema would refuse, or read otherwise', () => {
    fc.assert(
      fc.property(body, asked => {
        if (!isPlainChat(asked)) return;
        expect(chatRequestSchema.parse(asked)).toEqual(asked);
      }),
      { numRuns: 3_000 },
    );
  });
});
