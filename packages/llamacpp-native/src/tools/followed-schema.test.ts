import { describe, expect, it } from 'vitest';
import { checkJsonSchema } from '../json-schema.ts';
import { followedSchema } from './followed-schema.ts';

const object = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false };
const anything = expect.objectContaining({ oneOf: expect.arrayContaining([{ type: 'array' }]) });

describe('what the binding’s grammar follows of a schema', () => {
  it.each([
    ['all that it knows', object, object],
    ['bounds not', { type: 'integer', minimum: 1, maximum: 9, title: 'n' }, { type: 'integer' }],
    [
      'patterns not, lengths',
      { type: 'string', pattern: 'x', maxLength: 3 },
      { type: 'string', maxLength: 3 },
    ],
    ['formats it knows', { type: 'string', format: 'date' }, { type: 'string', format: 'date' }],
    ['formats it does not', { type: 'string', format: 'email' }, { type: 'string' }],
    ['anyOf, as oneOf', { anyOf: [object, { const: null }] }, { oneOf: [object, { const: null }] }],
    [
      'several types, each',
      { ...object, type: ['object', 'null'], required: ['a'] },
      { oneOf: [object, { type: 'null' }] },
    ],
    ['an enum', { type: 'string', enum: ['x', 'y'] }, { enum: ['x', 'y'] }],
    ['an enum with lists in it', { enum: [[1]] }, anything],
    ['a schema without a type', {}, anything],
    ['properties without a type', { properties: object.properties }, object],
    ['an object without properties', { type: 'object' }, { type: 'object', additionalProperties: true }],
    [
      'other properties of a type',
      { type: 'object', additionalProperties: { type: 'number', maximum: 1 } },
      { type: 'object', additionalProperties: { type: 'number' } },
    ],
    [
      'items',
      { type: 'array', items: { type: 'number', maximum: 1 }, maxItems: 2, uniqueItems: true },
      { type: 'array', items: { type: 'number' }, maxItems: 2 },
    ],
    ['the one of allOf', { allOf: [object] }, object],
    [
      'references, and what they point to',
      { $ref: '#/$defs/a', $defs: { a: { type: 'number', minimum: 1 } } },
      { $ref: '#/$defs/a', $defs: { a: { type: 'number' } } },
    ],
  ])('%s', (_, schema, expected) => {
    const followed = followedSchema(schema);
    expect(followed).toEqual(expected);
    expect(() => checkJsonSchema(followed)).not.toThrow();
  });
});
