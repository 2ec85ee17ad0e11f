import { AirframeError, describeIssues } from '@x/airframe';
import type { z } from 'zod';
import { asksNothing } from './checks.ts';

/**
 * A client's body, checked.
 * @throws AirframeError (invalid_request) that names the fields and what is wrong with them
 */
export function readBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const read = schema.safeParse(body, { error: withRemedy });
  if (read.success) return read.data;
  throw new AirframeError('invalid_request', describeIssues(read.error.issues, body));
}

/** Zod's own words tell of types, and not what to do. */
const withRemedy: z.core.$ZodErrorMap = ({ code, expected, input }) => {
  if (code !== 'invalid_type' || typeof expected !== 'string') return undefined;
  const wanted = KINDS[expected] ?? `a value of type ${expected}`;
  return input === undefined ? `is missing; give ${wanted}` : `is of the wrong type; give ${wanted}`;
};

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** @throws AirframeError (invalid_request, code `unsupported_parameter`) for what the gateway cannot do */
export function unsupported(field: string, why: string): never {
  throw new AirframeError('invalid_request', `${field} is not supported: ${why}`, {
    code: 'unsupported_parameter',
  });
}

/** Those of the fields that are there, as parameters of the backend. */
export function picked(
  body: Readonly<Record<string, unknown>>,
  names: ReadonlySet<string>,
): Record<string, unknown> | undefined {
  let extra: Record<string, unknown> | undefined;
  for (const name in body) {
    const value = body[name];
    if (value === undefined || value === null || !names.has(name)) continue;
    extra ??= {};
    extra[name] = value;
  }
  return extra;
}

/** Those of the fields that ask something of the gateway and are none that it knows. */
export function leftOut(body: Readonly<Record<string, unknown>>, known: ReadonlySet<string>): string[] {
  const names: string[] = [];
  for (const name in body) if (!known.has(name) && !asksNothing(body[name])) names.push(name);
  return names;
}
