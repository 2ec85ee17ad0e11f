// The TypeScript of Markdown, as modules: a fence is one, together with those that it continues.
import { join } from 'node:path';
import { fencesOf, markdownFiles, readPage } from '../../scripts/docs/markdown.mjs';
import { ROOT } from '../../scripts/workspace.mjs';

const LANGUAGES = new Set(['ts', 'typescript', 'js', 'javascript', 'mjs', 'tsx']);

/** All fences of all Markdown, each with its `file`. */
export const allFences = () =>
  markdownFiles().flatMap(file => fencesOf(readPage(file)).map(fence => ({ file, ...fence })));

/** Whether a fence quotes a file, the one its info names. */
export const isQuote = ({ info }) => /^[\w./-]+\.\w+$/.test(info);

/** Whether a fence is a file of a package that a page puts together, `title="src/wire.ts"`: the test of that page builds it. */
const isTitled = ({ info }) => /^title="[^"]+"$/.test(info);

export const isTypeScript = ({ lang }) => LANGUAGES.has(lang);

/**
 * @param fences those of all pages, in their order
 * @returns `{ file, line, code, lines, notRun }` each: `lines[n]` is the line of the page that line n of `code` stands in
 */
export function modulesOf(fences) {
  const modules = [];
  for (const fence of fences) {
    const { file, line, code, marks } = fence;
    if (!isTypeScript(fence) || isQuote(fence) || isTitled(fence) || 'no-check' in marks) continue;
    const before = marks.before ?? '';
    const own = {
      code: before + code,
      lines: [...linesOf(before).map(() => line), ...linesOf(code).map((_, index) => line + 1 + index)],
    };
    const last = modules.at(-1);
    if (!('continues' in marks)) modules.push({ file, line, ...own, notRun: marks['no-run'] });
    else if (last?.file !== file)
      throw new Error(`${file}:${line} continues nothing: no fence of TypeScript is above`);
    else {
      last.code += own.code;
      last.lines.push(...own.lines);
      last.notRun ??= marks['no-run'];
    }
  }
  return modules;
}

const linesOf = text => text.split('\n').slice(0, -1);

/** Where the imports of a page's fences are looked for, in this order: its own package, then what has the most. */
export function foldersFor(file) {
  const own = /^(packages|apps)\/[^/]+\//.exec(file)?.[0];
  const others = ['apps/gateway', 'packages/airframe', 'packages/avionics', 'packages/adapter-gemini', '.'];
  return [...(own ? [own] : []), ...others].map(folder => join(ROOT, folder, 'fence.ts'));
}
