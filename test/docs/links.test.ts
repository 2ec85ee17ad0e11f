import { existsSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { routes, sections } from '../../docs/.vitepress/pages.mjs';
import { API_FOLDER, anchorsOf, linksOf, markdownFiles, readPage } from '../../scripts/docs/markdown.mjs';
import { ROOT } from '../../scripts/workspace.mjs';

const PAGES: string[] = markdownFiles();

/** What is wrong with a link; undefined: nothing. Addresses of the web are not asked. */
function problemOf(page: string, href: string): string | undefined {
  if (/^(https?|mailto):/.test(href)) return undefined;
  const [path = '', anchor] = href.split('#');
  if (path.startsWith('/')) return 'is not relative, so it works on the site alone or not at all';
  const target = path === '' ? page : posix.join(dirname(page), decodeURI(path));
  if (target.startsWith(API_FOLDER)) return 'leads to what is generated; name the symbol in `…` instead';
  if (target.startsWith('..')) return 'leads out of the repository';
  if (!existsSync(join(ROOT, target))) return 'leads to no file';
  if (anchor === undefined) return undefined;
  // Of a folder its README is shown.
  const file = statSync(join(ROOT, target)).isDirectory() ? posix.join(target, 'README.md') : target;
  if (!file.endsWith('.md')) return 'has an anchor in what is no Markdown';
  return anchorsOf(readPage(file)).has(decodeURI(anchor)) ? undefined : `leads to no heading of ${file}`;
}

describe('the links of all Markdown', () => {
  it('are looked at', () => {
    expect(PAGES).toContain('README.md');
    expect(PAGES.flatMap(page => linksOf(readPage(page))).length).toBeGreaterThan(20);
  });

  it.each(PAGES)('lead to files and headings that are there: %s', page => {
    const problems = linksOf(readPage(page)).flatMap(({ line, href }: { line: number; href: string }) => {
      const problem = problemOf(page, href);
      return problem ? [`${page}:${line}: ${href} ${problem}`] : [];
    });
    expect(problems).toEqual([]);
  });
});

describe('the table of the docs site', () => {
  it('has every page of docs, and a title for each', () => {
    const known = routes();
    expect(PAGES.filter(page => page.startsWith('docs/') && !known.has(page))).toEqual([]);
    expect([...known.values()].every(route => route.endsWith('.md'))).toBe(true);
    expect(sections().flatMap(({ pages }) => pages.filter(({ text }) => !text))).toEqual([]);
  });

  it('gives no two pages one route, but the README that of the home page', () => {
    const all = [...routes()].filter(([file]) => file !== 'README.md').map(([, route]) => route);
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('the reader of Markdown', () => {
  it('makes the anchors that GitHub makes', () => {
    const page =
      '# 11. Publish it\n\n## `wire.ts`: the *backend’s* shapes\n\n## Same\n\n## Same\n\n## snake_case [a](b)\n';
    expect([...anchorsOf(page)]).toEqual([
      '11-publish-it',
      'wirets-the-backends-shapes',
      'same',
      'same-1',
      'snake_case-a',
    ]);
  });

  it('finds links in text, tables and definitions, and none in code or comments', () => {
    const page =
      '[a](x.md) `[no](no.md)`\n<!-- [no](no.md) -->\n```ts\n[no](no.md)\n```\n| [b](y.md#z) |\n\n[c]: z.md\n';
    expect(linksOf(page)).toEqual([
      { line: 1, href: 'x.md' },
      { line: 6, href: 'y.md#z' },
      { line: 8, href: 'z.md' },
    ]);
  });
});
