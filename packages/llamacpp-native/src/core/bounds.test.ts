import { describe, expect, it } from 'vitest';
import { bounded } from './bounds.ts';

const nested = (depth: number): object => (depth === 0 ? {} : { properties: { a: nested(depth - 1) } });

describe('what llama.cpp is given', () => {
  it('is no grammar and no schema that is nested too deeply', () => {
    const grammar = `root ::= ${'('.repeat(100_000)}"a"${')'.repeat(100_000)}`;
    const schema = nested(300) as Record<string, unknown>;
    for (const request of [
      { prompt: 'one', extra: { grammar } },
      { prompt: 'one', extra: { json_schema: schema } },
      { prompt: 'one', responseFormat: { type: 'json_schema' as const, schema } },
      { messages: [], tools: [{ name: 't', parameters: schema }] },
    ]) {
      expect(() => bounded(request)).toThrow(expect.objectContaining({ category: 'invalid_request' }));
    }
  });

  it('is what was asked for otherwise', () => {
    const request = {
      prompt: 'one',
      extra: { grammar: 'root ::= ("a" | ("b" "c"))+', repeat_last_n: -1 },
      responseFormat: { type: 'json_schema' as const, schema: nested(40) as Record<string, unknown> },
    };
    expect(bounded(request)).toBe(request);
  });

  it('does not look back further than makes a difference', () => {
    const { extra } = bounded({ prompt: 'one', extra: { repeat_last_n: 2 ** 31 - 1, top_k: 5 } });
    expect(extra).toEqual({ repeat_last_n: 1_048_576, top_k: 5 });
  });
});
