import type { z } from 'zod';
import type { Path } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** What is said of a value that does not fit the schema. */
export interface Finding {
  path: Path;
  message: string;
}

/** What the findings need to know of the values that were checked. */
export interface Values {
  at(path: Path): unknown;
  /** As an error may show it. */
  shown(path: Path): string;
}

/** To be given to `safeParse`: only while it checks is known which fields there are. */
export const nameFields: z.core.$ZodErrorMap = issue => {
  if (issue.code !== 'unrecognized_keys') return undefined;
  const { shape = {} } = (issue.inst?._zod.def ?? {}) as { shape?: object };
  return `unknown field; known here: ${Object.keys(shape).join(', ')}`;
};

/** The issues that zod found, as findings with value and remedy. */
export function findingsOf(issues: readonly Issue[], values: Values): Finding[] {
  return plain(issues).flatMap(issue => {
    const path = issue.path as (string | number)[];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(key => ({ path: [...path, key], message: issue.message }));
    }
    return [{ path, message: messageOf(issue, path, values) }];
  });
}

/** Where a number or a boolean was wanted and a text found, in whatever branch of a union. */
export function notConverted(issues: readonly Issue[]): Path[] {
  return issues.flatMap(issue => {
    if (issue.code === 'invalid_union')
      return notConverted(issue.errors.flat().map(inner => below(issue, inner)));
    const wanted = issue.code === 'invalid_type' && /^(number|int|boolean)$/.test(issue.expected);
    return wanted ? [issue.path as (string | number)[]] : [];
  });
}

/** Of a union, the issues of the branch that the value is meant for: the only one that takes its outer form. */
function plain(issues: readonly Issue[]): Issue[] {
  return issues.flatMap(issue => {
    if (issue.code !== 'invalid_union') return [issue];
    const [meant, ...more] = issue.errors.filter(branch => branch.every(({ path }) => path.length > 0));
    return meant && more.length === 0 ? plain(meant.map(inner => below(issue, inner))) : [issue];
  });
}

function below(outer: Issue, inner: Issue): Issue {
  return { ...inner, path: [...outer.path, ...inner.path] };
}

function messageOf(issue: Issue, path: Path, values: Values): string {
  const value = values.at(path);
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, value, () => values.shown(path));
    case 'invalid_format':
      return `${FORMATS[issue.format] ?? 'not good'}: ${values.shown(path)}; ${issue.message}`;
    case 'invalid_value':
      return `unknown: ${values.shown(path)}; use one of ${issue.values.join(', ')}`;
    case 'invalid_key':
      return `this name is not good; ${issue.issues[0]?.message}`;
    case 'invalid_union': {
      const { options } = issue as { options?: unknown[] };
      const remedy = options ? `use one of ${options.join(', ')}` : issue.message;
      return value === undefined ? `is missing; ${remedy}` : `not good: ${values.shown(path)}; ${remedy}`;
    }
    case 'too_small':
    case 'too_big':
      return wrongSize(issue, values.shown(path));
    case 'custom':
      return isScalar(value) ? `not good: ${values.shown(path)}; ${issue.message}` : issue.message;
    default:
      return issue.message;
  }
}

const FORMATS: Readonly<Record<string, string>> = { url: 'not a URL', date: 'not a date' };

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function wrongType(expected: string, value: unknown, shown: () => string): string {
  const kind = KINDS[expected] ?? expected;
  if (value === undefined) return `is missing; give ${kind}`;
  if (value === null) return `is empty; give ${kind}, or take the line away`;
  // What stands in the place of a list or a mapping may be anything, a secret as well.
  if (/^(array|object|record)$/.test(expected)) return `not ${kind}`;
  return `not ${kind}: ${shown()}${remedyFor(expected, value, shown() === '…')}`;
}

function remedyFor(expected: string, value: unknown, isHidden: boolean): string {
  if (typeof value === 'object') return '';
  if (expected === 'string') return '; put it in quotes';
  if (isHidden) return '; a variable must stand alone to be one';
  return typeof value === 'string' && /^(true|false|-?[\d.]+)$/.test(value) ? '; take the quotes away' : '';
}

function wrongSize(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, shown: string): string {
  const isSmall = issue.code === 'too_small';
  const edge = isSmall ? issue.minimum : issue.maximum;
  if (issue.origin === 'string') return isSmall ? 'is empty; give a text' : `too long; at most ${edge}`;
  if (issue.origin === 'array') return `give at ${isSmall ? 'least' : 'most'} ${edge}`;
  const bound = issue.inclusive ? `at ${isSmall ? 'least' : 'most'}` : isSmall ? 'more than' : 'less than';
  return `too ${isSmall ? 'small' : 'large'}: ${shown}; give ${bound} ${edge}`;
}

function isScalar(value: unknown): boolean {
  return value !== null && value !== undefined && typeof value !== 'object';
}
