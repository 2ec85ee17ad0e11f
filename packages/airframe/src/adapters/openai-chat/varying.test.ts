import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Reply } from '../../assemble/reply.ts';
import { createReader } from './stream.ts';

/** All that comes of these events, the error at a bad one included. */
function read(events: readonly string[]): unknown[] {
  const reply = new Reply('chat');
  const reader = createReader(reply);
  try {
    for (const data of events) reader.event(data, undefined);
    reply.end();
  } catch (error) {
    reply.fail(error);
  }
  const out: unknown[] = [];
  for (let event = reply.events.take(); event; event = reply.events.take()) {
    out.push(event.type === 'done' || event.type === 'error' ? stable(event) : event);
  }
  return out;
}

/** Without times, and without the text of the event itself. */
function stable(event: object): unknown {
  return JSON.parse(
    JSON.stringify(event, (key, value) =>
      /(At|Ms|^timings|^raw|^message|^problem)$/.test(key) ? undefined : value,
    ),
  );
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('', 'a', '"', '\\', '","content":"', '\n', '[DONE]', 'x"}}]}'),
);
const argumentsOf = (more: object) =>
  text.map(value => ({ tool_calls: [{ index: 0, ...more, function: { arguments: value } }] }));
const delta = fc.oneof(
  { weight: 6, arbitrary: text.map(content => ({ content })) },
  { weight: 2, arbitrary: text.map(value => ({ reasoning_content: value, content: null })) },
  { weight: 2, arbitrary: argumentsOf({}) },
  argumentsOf({ id: 'c1', function: { name: 'f', arguments: '' } }),
  fc.record({ content: text, reasoning: text }),
  fc.record({ content: text, refusal: text }),
  fc.constantFrom({}, { role: 'assistant', content: '' }, { content: [{ type: 'text', text: 'p' }] }),
);
const chunk = fc
  .record({
    delta,
    index: fc.constantFrom(0, 0, 0, 1),
    finish: fc.constantFrom(null, null, null, null, null, 'stop'),
    more: fc.constantFrom(
      {},
      {},
      {},
      {},
      { usage: null, obfuscation: 'abc' },
      { obfuscation: 'x' },
      { content: 'elsewhere' },
      { service_tier: 'flex' },
      {
        usage: { prompt_tokens: 3, completion_tokens: 2 },
      },
    ),
  })
  .map(({ delta, index, finish, more }) => ({
    id: 'c',
    model: 'm',
    choices: [{ index, delta, finish_reason: finish }],
    ...more,
  }));
const written = fc
  .tuple(chunk, fc.constantFrom('plain', 'plain', 'plain', 'spaced', 'ascii'))
  .map(([json, form]) => {
    if (form === 'spaced') return JSON.stringify(json, null, 1).replaceAll('\n', '');
    const plain = JSON.stringify(json);
    return form === 'plain'
      ? plain
      : plain.replace(/[^\0-~]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  });

it('a stream comes to the same, whether or not events like those before are parsed', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 30, arbitrary: written }, fc.constantFrom('{"broken', '[DONE]', '')), {
        maxLength: 40,
      }),
      events => {
        // Each with other blanks behind it: then none is like another.
        const unlike = events.map((data, at) => (data === '' ? data : data + ' '.repeat(at)));
        expect(read(events)).toEqual(read(unlike));
      },
    ),
    { numRuns: 2_000 },
  );
});
