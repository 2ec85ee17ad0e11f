import { AirframeError } from '@x/airframe';

/** Keywords that hold schemas, and how. */
const NESTED: Record<string, 'one' | 'list' | 'map'> = {
  properties: 'map',
  $defs: 'map',
  items: 'one',
  additionalProperties: 'one',
  prefixItems: 'list',
  oneOf: 'list',
};

/** Further keywords that the binding's grammar follows (node-llama-cpp 3.22, utils/gbnfJson). */
const FOLLOWED: ReadonlySet<string> = new Set([
  ...['type', 'const', 'enum', '$ref', 'required', 'format'],
  ...['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'],
]);

/** Keywords that say nothing about which values are allowed. */
const REMARKS: ReadonlySet<string> = new Set([
  'title',
  'description',
  'default',
  'examples',
  '$schema',
  '$id',
  '$comment',
]);

export const FORMATS: ReadonlySet<unknown> = new Set(['date-time', 'time', 'date']);

/**
 * Lets a schema pass that the binding turns into a grammar whole. What it does not know it would leave out
 * without a word, and the answer would not match.
 *
 * @throws AirframeError invalid_request naming the keyword and where it stands
 */
export function checkJsonSchema(schema: Record<string, unknown>): Record<string, unknown> {
  check(schema, '#');
  return schema;
}

function check(schema: unknown, path: string): void {
  if (typeof schema === 'boolean') return;
  if (typeof schema !== 'object' || schema === null) throw refuse(path, 'is no schema');
  for (const [keyword, value] of Object.entries(schema)) {
    const at = `${path}/${keyword}`;
    const holds = NESTED[keyword];
    if (holds === 'one') check(value, at);
    else if (holds !== undefined) {
      for (const [key, nested] of Object.entries(value ?? {})) check(nested, `${at}/${key}`);
    } else if (!FOLLOWED.has(keyword) && !REMARKS.has(keyword)) {
      throw refuse(at, 'is a keyword this backend cannot enforce');
    }
    if (keyword === 'format' && !FORMATS.has(value))
      throw refuse(at, `can only be ${[...FORMATS].join(', ')}`);
    if (keyword === '$ref' && !String(value).startsWith('#/$defs/'))
      throw refuse(at, 'can only point into #/$defs');
  }
}

function refuse(path: string, problem: string): AirframeError {
  return new AirframeError(
    'invalid_request',
    `JSON schema: ${path} ${problem}; leave it out, or use llama-server`,
  );
}
