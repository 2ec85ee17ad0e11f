import type * as z from 'zod';
import { AirframeError, type AirframeErrorOptions } from './errors.ts';

const MAX_VALUE_CHARS = 60;

/**
 * The value, when it fits the schema.
 * @throws AirframeError (invalid_request) naming every problem
 */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  what: string,
  options: AirframeErrorOptions = {},
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = describeIssues(result.error.issues, value);
  throw new AirframeError('invalid_request', `invalid ${what}: ${problems}`, options);
}

/** The problems zod found, each as `path: what is wrong (got value)`, in one line. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], input: unknown): string {
  return issues.map(issue => describe(issue, input)).join('; ');
}

function describe(issue: z.core.$ZodIssue, input: unknown): string {
  const path = issue.path.map(String).join('.');
  const value = issue.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    input,
  );
  const isLeaf = path !== '' && (value === null || typeof value !== 'object');
  return `${path ? `${path}: ` : ''}${issue.message}${isLeaf ? ` (got ${shown(path, value)})` : ''}`;
}

/** A key must not show up in an error, however wrong it is. */
function shown(path: string, value: unknown): string {
  if (/key|secret|token$|authorization|(^|\.)headers(\.|$)/i.test(path)) return '***';
  const text = JSON.stringify(value) ?? 'nothing';
  return text
    .replace(/\/\/[^/]*@/, '//***@')
    .replace(/[?#].*/, '?***')
    .slice(0, MAX_VALUE_CHARS);
}
