import type { Digests } from './file-text.ts';

/** Where a value stands: its keys and indexes from the root on. */
export type Path = readonly (string | number)[];

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** As it is shown; absent: what is wrong stands in the environment. */
  file?: string;
  /** From 1 on. */
  line?: number;
  column?: number;
  /** `providers.box.baseUrl`, or the name of a variable; '' is the whole file. */
  path: string;
  /** What is wrong, with the value (`…` for a secret), and the remedy. */
  message: string;
}

/** All that is wrong with a configuration, one line each. Holds no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];
  /** The files that were read, or looked for: a change of any of them may mend it. */
  readonly files: Digests;

  constructor(problems: readonly ConfigProblem[], files: Digests = new Map()) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    super([`the configuration has ${count}:`, ...problems.map(problem => `  ${lineOf(problem)}`)].join('\n'));
    this.problems = problems;
    this.files = files;
  }
}

function lineOf({ file, line, column, path, message }: ConfigProblem): string {
  const place = [file, line, column].filter(part => part !== undefined).join(':');
  return `${place && `${place} `}${path && `${path}: `}${message}`;
}

const MAX_VALUE_CHARS = 60;

/** A value as an error may show it. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  // What stands in front of a host, or behind a question mark, may be a password.
  const clean = text.replace(/\/\/[^/]*@/, '//…@').replace(/(:\/\/[^?#]*)[?#].*/, '$1?…"');
  return clean.length > MAX_VALUE_CHARS ? `${clean.slice(0, MAX_VALUE_CHARS)}…` : clean;
}

const SECRET_FIELDS: readonly (string | number)[] = ['apiKey', 'hash'];

/** Fields whose values no error shows. */
export function isSecret(path: Path): boolean {
  return path.some(key => SECRET_FIELDS.includes(key)) || path.join('.') === 'redis.url';
}
