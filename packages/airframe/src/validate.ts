import type { z } from 'zod';

const MAX_VALUE_CHARS = 60;

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
  if (/key|secret|token$|authorization|headers/i.test(path)) return '***';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.replace(/\/\/[^/]*@/, '//***@').slice(0, MAX_VALUE_CHARS);
}
