import { isAbsolute, relative } from 'node:path';
import type { Environment } from '@x/avionics';
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';
import type { z } from 'zod';
import { readText } from './file-text.ts';
import { interpolate } from './interpolate.ts';
import { findingsOf, nameFields, notConverted } from './issues.ts';
import { ConfigError, type ConfigProblem, isSecret, type Path, shown } from './problem.ts';

export interface SourceOptions {
  /** All of it came from the environment. */
  isSecret?: boolean;
  /** Of the file it was read from. */
  digest?: string;
}

/** A YAML or JSON file with its variables filled in; it knows on which line each value stands. */
export class Source {
  readonly problems: ConfigProblem[] = [];
  /** Of the file, as it was read; '' where there is none. */
  readonly digest: string;
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #document;
  /** What came from the environment. true: the whole text is one variable. */
  readonly #fromEnvironment: ReadonlyMap<Scalar, boolean>;
  readonly #lacking = new Set<Scalar>();
  readonly #isSecret: boolean;
  /** A wrong syntax: there is no value. */
  #isBroken = false;

  /** @param file as errors show it */
  constructor(
    text: string,
    file: string,
    env: Environment,
    { isSecret = false, digest = '' }: SourceOptions = {},
  ) {
    this.digest = digest;
    this.#file = file;
    this.#isSecret = isSecret;
    const document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    this.#document = document;
    // The first one alone: what follows it is mostly its echo.
    for (const { pos, message } of document.errors.slice(0, 1)) {
      const isVariable = text.startsWith('${', pos[0] - 1);
      this.#syntax(pos[0], isVariable ? IN_FLOW : withoutQuotes(message));
    }
    visit(document, {
      Alias: (_, alias) => {
        if (!alias.resolve(document)) this.#syntax(alias.range?.[0] ?? 0, NO_ANCHOR);
      },
    });
    const { filled, problems } = interpolate(document, env);
    this.#fromEnvironment = filled;
    for (const { scalar, path, message } of problems) {
      this.#lacking.add(scalar);
      this.#note(path, message);
    }
  }

  /** @throws ConfigError for a file that cannot be read */
  static async open(file: string, env: Environment): Promise<Source> {
    const name = shownFile(file);
    const { text, digest } = await readText(file);
    if (text !== undefined) return new Source(text, name, env, { digest });
    const why = digest === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${digest})`;
    const problem = { file: name, path: '', message: `${why}; check the path` };
    throw new ConfigError([problem], new Map([[file, digest]]));
  }

  /** Plain objects, arrays and scalars; null for an empty file. */
  value(): unknown {
    return this.#isBroken ? undefined : this.#document.toJS();
  }

  /** Notes a problem with the value at a path, which need not be there. A value whose variable lacks has its problem already. */
  report(path: Path, message: string): void {
    const { node } = this.#find(path);
    if (!isScalar(node) || !this.#lacking.has(node)) this.#note(path, message);
  }

  /** The value at a path; undefined: there is none. */
  at(path: Path): unknown {
    return this.#find(path).node?.toJS(this.#document);
  }

  /** The value at a path as an error may show it. */
  shown(path: Path): string {
    const { node } = this.#find(path);
    if (isMap(node)) return 'a mapping';
    if (isSeq(node)) return 'a list';
    if (this.#isSecret || isSecret(path) || (isScalar(node) && this.#fromEnvironment.has(node))) return '…';
    return shown(isScalar(node) ? node.value : undefined);
  }

  /**
   * The whole value, when it fits the schema. A text that is one variable and nothing else becomes a number or a boolean
   * where one is wanted.
   * @returns undefined, with its problems noted, where it does not fit
   */
  check<T>(schema: z.ZodType<T>): T | undefined {
    if (this.#isBroken) return undefined;
    const { data, error } = schema.safeParse(this.value(), { error: nameFields });
    if (!error) return data;
    const converted = notConverted(error.issues).filter(path => this.#convert(path));
    if (converted.length > 0) return this.check(schema);
    for (const { path, message } of findingsOf(error.issues, this)) this.report(path, message);
    return undefined;
  }

  #convert(path: Path): boolean {
    const { node } = this.#find(path);
    if (!isScalar(node) || !this.#fromEnvironment.get(node)) return false;
    const { value } = node;
    if (typeof value !== 'string') return false;
    if (/^(true|false)$/.test(value)) node.value = value === 'true';
    else if (/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value)) node.value = Number(value);
    return node.value !== value;
  }

  #syntax(offset: number, message: string): void {
    this.#isBroken = true;
    this.#add(offset, '', message);
  }

  #note(path: Path, message: string): void {
    this.#add(this.#find(path).offset, path.join('.'), message);
  }

  #add(offset: number, path: string, message: string): void {
    const { line, col: column } = this.#lines.linePos(offset);
    this.problems.push({ file: this.#file, line, column, path, message });
  }

  /** The node at a path, and where it begins; where there is none, the innermost that is around it. */
  #find(path: Path): { node: Node | undefined; offset: number } {
    let node = this.#resolve(this.#document.contents);
    let offset = node?.range?.[0] ?? 0;
    for (const key of path) {
      const next = this.#child(node, key);
      if (next === undefined) return { node: undefined, offset };
      ({ node, offset } = next);
    }
    return { node, offset };
  }

  #child(
    parent: Node | undefined,
    key: string | number,
  ): { node: Node | undefined; offset: number } | undefined {
    if (isSeq(parent)) {
      const item = this.#resolve(parent.items[Number(key)]);
      return item && { node: item, offset: item.range?.[0] ?? 0 };
    }
    if (!isMap(parent)) return undefined;
    const pair = parent.items.find(({ key: name }) => isScalar(name) && String(name.value) === String(key));
    if (!pair) return undefined;
    const node = this.#resolve(pair.value);
    const start = isScalar(node) && node.value !== null ? node : (pair.key as Scalar);
    return { node, offset: start.range?.[0] ?? 0 };
  }

  #resolve(node: unknown): Node | undefined {
    return (isAlias(node) ? node.resolve(this.#document) : node) as Node | undefined;
  }
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the user is to write.
const IN_FLOW = 'between brackets and braces a variable must be in quotes: "${NAME}"';
const NO_ANCHOR = 'an alias (*…) without its anchor (&…) before it; put a text that begins with * in quotes';

/** The parser's messages quote what it does not understand, which may be a key. */
function withoutQuotes(message: string): string {
  return message.replace(/[:;]\s.*$/s, '').replace(/(escape sequence) .*$/s, '$1');
}

/** From the working folder on, where it is in there. */
function shownFile(file: string): string {
  const short = relative('.', file);
  return short.startsWith('..') || isAbsolute(short) ? file : short;
}
