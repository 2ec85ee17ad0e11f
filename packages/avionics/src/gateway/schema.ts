import { AirframeError } from '@x/airframe';
import * as z from 'zod';

/** A zod schema, or a JSON Schema as an object. */
export type Schema<Value = unknown> = z.ZodType<Value> | Record<string, unknown>;

/** What a schema lets through: of a JSON Schema nothing is known at compile time. */
export type SchemaOutput<S> = S extends z.ZodType ? z.output<S> : unknown;

/** A schema in both forms: what the backend is told, and what checks its answer. */
export interface CheckedSchema {
  readonly json: Record<string, unknown>;
  /** The checked value, or what is wrong with it. */
  check(value: unknown): { value: unknown } | { problem: string };
}

export function isZod(schema: Schema): schema is z.ZodType {
  return '_zod' in schema;
}

/** Of zod schemas, which never change: saying one in JSON Schema takes longer than checking with it. */
const said = new WeakMap<z.ZodType, CheckedSchema>();

/**
 * @param what stands in front of the error
 * @throws AirframeError (invalid_request) for a schema that cannot be said in JSON Schema, or not be checked
 */
export function checkedSchema(schema: Schema, what: string): CheckedSchema {
  try {
    if (!isZod(schema)) return { json: schema, check: checkBy(z.fromJSONSchema(schema)) };
    const known = said.get(schema);
    if (known) return known;
    const checked = { json: jsonSchemaOf(schema), check: checkBy(schema) };
    said.set(schema, checked);
    return checked;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AirframeError('invalid_request', `${what} cannot be used: ${reason}`, {
      remedy: 'say it in plain objects, arrays, strings, numbers, booleans, enums and unions',
      cause,
    });
  }
}

function checkBy(schema: z.ZodType): CheckedSchema['check'] {
  return value => {
    const parsed = schema.safeParse(value);
    return parsed.success ? { value: parsed.data } : { problem: problemOf(parsed.error) };
  };
}

/** Describes what the model has to write, so the input of transforms, not their output. */
function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  const {
    $schema: _,
    '~standard': __,
    ...json
  } = z.toJSONSchema(schema, { io: 'input' }) as Record<string, unknown>;
  // Strict backends demand objects that name all they may hold.
  return closed(json) as Record<string, unknown>;
}

/** zod objects drop keys they do not know; told as JSON Schema that is: there are none. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
  if (copy['type'] === 'object' && copy['properties'] && !('additionalProperties' in copy)) {
    copy['additionalProperties'] = false;
  }
  return copy;
}

function problemOf(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map(({ path, message }) => (path.length > 0 ? `${path.map(String).join('.')}: ${message}` : message))
    .join('; ');
}
