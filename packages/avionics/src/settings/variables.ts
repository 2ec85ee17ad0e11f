import { z } from 'zod';

/** What `LLM_PROVIDER` and `createLLMProvider` take. */
export const PROVIDER_TYPES = ['llamaserver', 'openai', 'anthropic', 'azure', 'llamacpp', 'mock'] as const;
/** One of {@link PROVIDER_TYPES}. */
export type ProviderType = (typeof PROVIDER_TYPES)[number];

/** Environment variables as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One variable that is wrong or missing. */
export interface SettingsProblem {
  variable: string;
  /** As given; secrets are masked. Undefined: not set. */
  value: string | undefined;
  /** What to do. */
  remedy: string;
}

/** All that is wrong with the settings, one line a variable. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly SettingsProblem[];

  constructor(problems: readonly SettingsProblem[]) {
    const count = problems.length === 1 ? '1 setting is wrong' : `${problems.length} settings are wrong`;
    super([`${count}:`, ...problems.map(problem => `  ${lineOf(problem)}`)].join('\n'));
    this.problems = problems;
  }
}

function lineOf({ variable, value, remedy }: SettingsProblem): string {
  return value === undefined ? `${variable} is not set: ${remedy}` : `${variable}="${value}": ${remedy}`;
}

const MAX_VALUE_CHARS = 80;
const SECRET = /key|secret|token(?!s)|password/i;

/**
 * What zod found, as problems of variables.
 * @param of the variable that was checked; absent: the first part of each path names it
 */
export function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  env: Environment,
  of?: string,
): SettingsProblem[] {
  return issues.map(issue => {
    const path = of === undefined ? issue.path : [of, ...issue.path];
    // What stands behind the variable's name is a place in its JSON.
    const [variable = '', ...place] = path.map(String);
    const value = env[variable];
    return {
      variable,
      value: value === undefined ? undefined : masked(variable, value),
      remedy: place.length > 0 ? `${place.join('.')}: ${issue.message}` : issue.message,
    };
  });
}

const SECRET_IN_JSON = /("[^"]*(?:key|secret|token(?!s)|password|authorization)[^"]*"\s*:\s*)"[^"]*"?/gi;

/** A value as an error may show it. */
export function masked(variable: string, value: string): string {
  if (SECRET.test(variable)) return '***';
  const json = value.replace(SECRET_IN_JSON, '$1"***"');
  // What stands in front of a host may be a password; greedy, for it may hold an @ itself.
  return json.replace(/^(\w+:\/\/)?.*@/, '$1***@').slice(0, MAX_VALUE_CHARS);
}

/** The variables that say something: trimmed, empty ones left out. */
export function presentOf(env: Environment): Record<string, string> {
  const present: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const trimmed = value?.trim();
    if (trimmed) present[name] = trimmed;
  }
  return present;
}

/** A schema for a variable: text in, checked value out. */
export type Variable<Value> = z.ZodType<Value, string>;

export const text: Variable<string> = z.string();

export const flag: Variable<boolean> = z.stringbool({ error: 'say true or false' });

export const providerType: Variable<ProviderType> = oneOf(PROVIDER_TYPES);

export const temperature: Variable<number> = number({
  min: 0,
  max: 2,
  remedy: 'give a number from 0 to 2, e.g. 0.7',
});

export const httpUrl: Variable<string> = url(/^https?$/, 'http://127.0.0.1:8080');

export function oneOf<const Values extends readonly string[]>(values: Values): Variable<Values[number]> {
  return z.enum(values, { error: `use one of ${values.join(', ')}` }) as unknown as Variable<Values[number]>;
}

export function url(protocol: RegExp, example: string): Variable<string> {
  return z.url({ protocol, error: `give a full URL, e.g. ${example}` });
}

export interface NumberRange {
  min: number;
  max?: number;
  integer?: boolean;
  remedy: string;
}

export function number({
  min,
  max = Number.MAX_SAFE_INTEGER,
  integer = false,
  remedy,
}: NumberRange): Variable<number> {
  return z
    .string()
    .transform(Number)
    .refine(value => value >= min && value <= max && (!integer || Number.isInteger(value)), {
      error: remedy,
    });
}

/** Node's timers hold 2^31 - 1 milliseconds; a longer one would fire at once. */
export const MAX_TIMER_SECONDS = 2_147_483;

export const seconds: Variable<number> = number({
  min: 0,
  max: MAX_TIMER_SECONDS,
  remedy: 'give seconds, 0 or more (0: no limit), e.g. 120',
});

export const retries: Variable<number> = number({
  min: 0,
  integer: true,
  remedy: 'give a whole number, 0 or more, e.g. 3',
});
