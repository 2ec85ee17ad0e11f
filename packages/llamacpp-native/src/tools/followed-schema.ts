import { FORMATS } from '../json-schema.ts';

type Schema = Record<string, unknown>;

/** A schema that allows anything, in the binding's terms. */
const ANYTHING: Schema = {
  oneOf: [
    { type: ['string', 'number', 'boolean', 'null'] },
    { type: 'object', additionalProperties: true },
    { type: 'array' },
  ],
};

/**
 * A schema as far as the grammar of node-llama-cpp follows it (3.22, utils/gbnfJson). What it cannot follow is left
 * out: it allows more then, as a backend that holds nobody to the schema of a tool.
 */
export function followedSchema({ $defs, ...schema }: Schema): Schema {
  return { ...followed(schema), ...(isObject($defs) ? { $defs: mapValues($defs, followed) } : {}) };
}

function followed(schema: unknown): Schema {
  if (!isObject(schema)) return ANYTHING;
  const { $ref, const: only, enum: values, anyOf, oneOf = anyOf, allOf } = schema;
  const { type = isObject(schema['properties']) ? 'object' : undefined } = schema;
  if (typeof $ref === 'string') return { $ref };
  if (Array.isArray(oneOf)) return { oneOf: oneOf.map(followed) };
  if (only !== undefined) return isScalar(only) ? { const: only } : ANYTHING;
  if (Array.isArray(values)) return values.every(isScalar) ? { enum: values } : ANYTHING;
  if (Array.isArray(type)) return { oneOf: type.map(one => followed({ ...schema, type: one })) };
  if (type === 'object') return followedObject(schema);
  if (type === 'array') return followedArray(schema);
  if (type === 'string') return followedString(schema);
  if (typeof type === 'string') return { type };
  return Array.isArray(allOf) && allOf.length === 1 ? followed(allOf[0]) : ANYTHING;
}

/** The grammar takes all properties for required ones, and allows no others unless it is told to. */
function followedObject({
  properties,
  additionalProperties: others = properties === undefined,
}: Schema): Schema {
  return {
    type: 'object',
    ...(isObject(properties) ? { properties: mapValues(properties, followed) } : {}),
    additionalProperties: isObject(others) ? followed(others) : others,
  };
}

function followedArray({ items, prefixItems, ...schema }: Schema): Schema {
  return {
    type: 'array',
    ...(isObject(items) ? { items: followed(items) } : {}),
    ...(Array.isArray(prefixItems) ? { prefixItems: prefixItems.map(followed) } : {}),
    ...pick(schema, 'minItems', 'maxItems'),
  };
}

function followedString(schema: Schema): Schema {
  const { format } = schema;
  return {
    type: 'string',
    ...(FORMATS.has(format) ? { format } : pick(schema, 'minLength', 'maxLength')),
  };
}

function pick(schema: Schema, ...keywords: string[]): Schema {
  return Object.fromEntries(keywords.filter(word => word in schema).map(word => [word, schema[word]]));
}

function mapValues(values: Schema, make: (value: unknown) => unknown): Schema {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, make(value)]));
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The binding knows no literals of other kinds. */
function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}
