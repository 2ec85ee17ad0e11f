import type { Environment } from '@x/avionics';
import { type Document, isPair, isSeq, type Scalar, visit } from 'yaml';
import type { Path } from './problem.ts';

/** `$${` is a plain `${`; what stands between the braces is looked at later. */
const PLACE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

export interface Interpolated {
  /** Texts with something from the environment; true: the whole text is one variable. */
  filled: Map<Scalar, boolean>;
  problems: { scalar: Scalar; path: Path; message: string }[];
}

/**
 * Fills variables into the texts of a document: `${NAME}` and `${NAME:-default}`, in values only, after the syntax was
 * read: what a variable holds is never taken for YAML. As in a shell, `:-` is for a variable that is empty, too; without
 * it, an empty one counts as not set.
 */
export function interpolate(document: Document, env: Environment): Interpolated {
  const filled: Interpolated['filled'] = new Map();
  const problems: Interpolated['problems'] = [];
  visit(document, {
    Scalar(key, scalar, ancestors) {
      const { value } = scalar;
      if (key === 'key' || typeof value !== 'string' || !value.includes('${')) return;
      const wrong: string[] = [];
      let variables = 0;
      const text = value.replace(PLACE, (place, inner: string | undefined, brace: string) => {
        if (inner === undefined) return '${';
        variables++;
        const result = look(brace ? inner : '', env);
        if (typeof result === 'string') return result;
        wrong.push(result.problem);
        return place;
      });
      for (const message of wrong) problems.push({ scalar, path: pathTo(scalar, ancestors), message });
      if (wrong.length > 0) return;
      const isWhole = variables === 1 && /^\$\{[^}]*\}$/.test(value);
      if (variables > 0) filled.set(scalar, isWhole);
      scalar.value = text;
    },
  });
  return { filled, problems };
}

function look(inner: string, env: Environment): string | { problem: string } {
  const [, name = '', instead] = VARIABLE.exec(inner) ?? [];
  if (name === '' || instead?.includes('${')) {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the user is to write.
    return { problem: 'a variable is wrong; write ${NAME} or ${NAME:-default}, and $${ for a plain ${' };
  }
  const value = env[name] || instead;
  if (value !== undefined) return value;
  const state = env[name] === undefined ? 'not set' : 'empty';
  return { problem: `the variable ${name} is ${state}; set it, or write \${${name}:-default}` };
}

function pathTo(scalar: Scalar, ancestors: readonly unknown[]): Path {
  const chain = [...ancestors, scalar];
  return chain.flatMap((node: unknown, index): (string | number)[] => {
    const next = chain[index + 1];
    if (isSeq(node)) return [node.items.indexOf(next)];
    // A map holds pairs; the pair knows the key.
    return isPair(node) ? [String((node.key as Scalar).value)] : [];
  });
}
