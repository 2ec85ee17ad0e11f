import * as fc from 'fast-check';
import type { EngineName } from '../src/index.ts';

export type Schema = Record<string, unknown>;

const TEXTS = ['up', 'b c', 'é', '"q"', 'a\\b', '\n', '{}', '😀', ']-^'];
/** Among them names that llama.cpp's grammars have for rules of their own. */
const NAMES = ['a', 'b c', 'b-c', 'é', '"q"', 'string', 'space', 'root', 'item', 'kv'];

const scalar = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.integer({ min: -99, max: 99 }),
  fc.constantFrom(null, true),
);
const text = fc
  .tuple(fc.nat(2), fc.nat(4))
  .map(([minLength, more]) => ({ type: 'string', minLength, maxLength: minLength + more }));
const anyLeaf: fc.Arbitrary<Schema> = fc.oneof(
  fc.constantFrom({ type: 'boolean' }, { type: 'null' }, { type: 'number' }),
  fc.uniqueArray(scalar, { minLength: 1, maxLength: 4 }).map(values => ({ enum: values })),
  scalar.map(value => ({ const: value })),
  text,
);

/** The core's: an integer without bounds may have more digits than a double holds. */
const integer = fc
  .tuple(fc.integer({ min: -2000, max: 2000 }), fc.nat(2000))
  .map(([minimum, more]) => ({ type: 'integer', minimum, maximum: minimum + more }));
const coreLeaf: fc.Arbitrary<Schema> = fc.oneof(
  anyLeaf,
  integer,
  fc.constantFrom<Schema>(
    { type: ['boolean', 'null'] },
    { type: 'string', pattern: '^[a-z]{1,4}$' },
    { type: 'string', pattern: '^(up|down)-[0-9]{2}(\\.[A-F])?$' },
  ),
);
/** The binding knows no bounds. */
const bindingLeaf: fc.Arbitrary<Schema> = fc.oneof(anyLeaf, fc.constant({ type: 'integer' }));

function objectOf(value: fc.Arbitrary<Schema>): fc.Arbitrary<Schema> {
  const property = fc.tuple(fc.constantFrom(...NAMES), value, fc.boolean());
  return fc.uniqueArray(property, { selector: ([name]) => name, maxLength: 3 }).map(properties => ({
    type: 'object',
    properties: Object.fromEntries(properties.map(([name, schema]) => [name, schema])),
    required: properties.filter(([, , required]) => required).map(([name]) => name),
    additionalProperties: false,
  }));
}

function arrayOf(value: fc.Arbitrary<Schema>): fc.Arbitrary<Schema> {
  const list = fc
    .tuple(value, fc.nat(2), fc.nat(2))
    .map(([items, minItems, more]) => ({ type: 'array', items, minItems, maxItems: minItems + more }));
  const tuple = fc.array(value, { minLength: 1, maxLength: 3 }).map(prefixItems => ({
    type: 'array',
    prefixItems,
    minItems: prefixItems.length,
    maxItems: prefixItems.length,
  }));
  return fc.oneof({ weight: 3, arbitrary: list }, tuple);
}

/** The binding takes `oneOf` for `anyOf`, and knows that by no other name: nothing may fit two of these. */
const bindingChoice: fc.Arbitrary<Schema> = fc
  .subarray([{ type: 'boolean' }, { type: 'null' }, { enum: ['x', 'y'] }, { const: 7 }], { minLength: 2 })
  .map(oneOf => ({ oneOf }));

const anyOf = (value: fc.Arbitrary<Schema>): fc.Arbitrary<Schema> =>
  fc.array(value, { minLength: 2, maxLength: 3 }).map(schemas => ({ anyOf: schemas }));

/** The same leaf in two places. */
const shared: fc.Arbitrary<Schema> = anyLeaf.map(leaf => ({
  type: 'object',
  properties: {
    a: { $ref: '#/$defs/leaf' },
    b: { type: 'array', items: { $ref: '#/$defs/leaf' }, maxItems: 2 },
  },
  required: ['a', 'b'],
  additionalProperties: false,
  $defs: { leaf },
}));

/**
 * JSON schemas of what ends soon: nothing in them goes on as long as the model likes. Left out is what llama.cpp does
 * not hold an answer to (v0.5.0, common/json-schema.cpp): bounds of a `number`, `multipleOf`, `uniqueItems`,
 * `minProperties`, `not`; formats, for its dates know no calendar; and a `oneOf` of which two fit, which it takes for
 * `anyOf`.
 */
export function randomSchemas(engine: EngineName): fc.Arbitrary<Schema> {
  const leaf = engine === 'core' ? coreLeaf : bindingLeaf;
  const { schema } = fc.letrec<{ schema: Schema }>(tie => ({
    schema: fc.oneof(
      { maxDepth: 2, depthSize: 'small' },
      leaf,
      { weight: 3, arbitrary: objectOf(tie('schema')) },
      { weight: 2, arbitrary: arrayOf(tie('schema')) },
      engine === 'core' ? anyOf(tie('schema')) : bindingChoice,
    ),
  }));
  return fc.oneof({ weight: 12, arbitrary: schema }, shared);
}
