// What the docs site and the tests of Markdown read out of a page: its fences, links and anchors.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { ROOT } from '../workspace.mjs';

/** Folders without pages of ours: what is installed or built, and what names changes for the changelogs. */
const PASSED_OVER = new Set([
  'node_modules',
  'dist',
  '.git',
  '.cache',
  '.changeset',
  '.turbo',
  '.vitepress',
  'bench-results',
  'test-results',
]);

/** Written by `pnpm docs:build`, from docstrings. */
export const API_FOLDER = 'docs/api';

/** Paths of all Markdown files of the repository, from its root, with `/`. */
export function markdownFiles(folder = ROOT) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap(entry => {
      const path = join(folder, entry.name);
      const shown = relative(ROOT, path).split(sep).join('/');
      if (entry.isDirectory()) {
        return PASSED_OVER.has(entry.name) || shown === API_FOLDER ? [] : markdownFiles(path);
      }
      // Changelogs are made of the changesets.
      return entry.name.endsWith('.md') && entry.name !== 'CHANGELOG.md' ? [shown] : [];
    })
    .sort();
}

export const readPage = file => readFileSync(join(ROOT, file), 'utf8');

/**
 * The fenced blocks of a page.
 * @returns `{ line, lang, info, code, marks }` each: `line` of the opening fence, from 1; `info` is what stands behind
 *   the language; `marks` are the comments right above it, `<!-- name: text -->`, by name
 */
export function fencesOf(markdown) {
  const fences = [];
  let open;
  let marks = {};
  let comment;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (open) {
      if (open.end.test(line)) {
        fences.push(open.fence);
        open = undefined;
      } else
        open.fence.code += `${line.startsWith(open.indent) ? line.slice(open.indent.length) : line.trimStart()}\n`;
      continue;
    }
    if (comment) {
      if (line.includes('-->')) comment = undefined;
      else marks[comment] = `${marks[comment]}${line}\n`;
      continue;
    }
    const opening = /^(\s*)(`{3,}|~{3,})([\w+-]*)[ \t]*(.*)$/.exec(line);
    const mark = /^\s*<!--\s*([a-z-]+)(?::\s*(.*?))?\s*(-->)?$/.exec(line);
    if (opening) {
      const [, indent, fence, lang, info] = opening;
      open = {
        indent,
        end: new RegExp(`^\\s*${fence[0]}{${fence.length},}\\s*$`),
        fence: { line: index + 1, lang, info, code: '', marks },
      };
      marks = {};
    } else if (mark) {
      const [, name, text = '', end] = mark;
      marks[name] = end ? text : '';
      comment = end ? undefined : name;
    } else if (line.trim() !== '') marks = {};
  }
  if (open) throw new Error(`the fence of line ${open.fence.line} has no end`);
  return fences;
}

const blank = text => text.replace(/[^\n]/g, ' ');
const FENCE = /^(\s*)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\s*\2[^\S\n]*$/gm;
const INLINE_CODE = /(`+)(?!`)((?:(?!\n\s*\n)[\s\S])*?[^`])\1(?!`)/g;

/** A page without its fences and comments, and as many lines as before. */
const textOf = markdown => markdown.replace(FENCE, blank).replace(/<!--[\s\S]*?-->/g, blank);

/** What stands in `…` in a page: `{ line, code }` each. */
export function inlineCodeOf(markdown) {
  const text = textOf(markdown);
  return [...text.matchAll(INLINE_CODE)].map(({ index, 2: code }) => ({
    line: lineAt(text, index),
    code: code.replace(/\s+/g, ' ').trim(),
  }));
}

const lineAt = (text, index) => text.slice(0, index).split('\n').length;

/** Links and images of a page: `{ line, href }` each. */
export function linksOf(markdown) {
  const prose = textOf(markdown).replace(INLINE_CODE, blank);
  const found = [
    ...prose.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g),
    ...prose.matchAll(/^[^\S\n]*\[[^\]]+\]:\s*(\S+)/gm),
    ...prose.matchAll(/\b(?:href|src)="([^"]+)"/g),
  ];
  return found.map(({ index, 1: href }) => ({ line: lineAt(prose, index), href }));
}

/** What links can point at in a page, without `#`. */
export function anchorsOf(markdown) {
  const seen = new Map();
  const headings = textOf(markdown).matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm);
  const anchors = [...headings].map(([, text]) => {
    const slug = slugify(plain(text));
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times ? `${slug}-${times}` : slug;
  });
  return new Set([...anchors, ...[...markdown.matchAll(/\b(?:id|name)="([^"]+)"/g)].map(([, id]) => id)]);
}

/** A heading as it is read. */
function plain(heading) {
  return heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*]|(?<!\w)_|_(?!\w)/g, '')
    .replace(/\\(.)/g, '$1');
}

/** The anchor of a heading, as GitHub makes it; the site makes the same. */
export function slugify(text) {
  return text
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replace(/ /g, '-');
}
