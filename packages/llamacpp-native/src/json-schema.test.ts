import { describe, expect, it } from 'vitest';
import { checkJsonSchema } from './json-schema.ts';

describe('checkJsonSchema', () => {
  it('passes what the binding turns into a grammar', () => {
    const schema = {
      title: 'Flight',
      type: 'object',
      properties: {
        // A property may be called like a keyword.
        pattern: { type: 'string', maxLength: 8 },
        legs: { type: 'array', items: { $ref: '#/$defs/leg' }, minItems: 1 },
      },
      required: ['pattern', 'legs'],
      additionalProperties: false,
      $defs: { leg: { oneOf: [{ const: 'up' }, { enum: ['down', null] }] } },
    };
    expect(checkJsonSchema(schema)).toBe(schema);
  });

  it.each([
    [{ type: 'string', pattern: '^a' }, '#/pattern'],
    [{ type: 'object', properties: { a: { anyOf: [] } } }, '#/properties/a/anyOf'],
    [{ type: 'array', items: { type: 'number', minimum: 1 } }, '#/items/minimum'],
    [{ type: 'string', format: 'email' }, '#/format'],
    [{ $ref: 'https://example.org/schema' }, '#/$ref'],
  ])('refuses %j, naming the place', (schema, place) => {
    expect(() => checkJsonSchema(schema)).toThrow(place);
  });
});
