// What the API reference, once generated, gives to the rest of the site: its sidebar, and a page for each symbol.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { entryPoints, folderOf } from '../../scripts/docs/entry-points.mjs';
import { API_FOLDER } from '../../scripts/docs/markdown.mjs';
import { ROOT } from '../../scripts/workspace.mjs';

/** The folders of an entry point, in the order that the sidebar has them. */
const KINDS = [
  ['Classes', 'classes'],
  ['Functions', 'functions'],
  ['Interfaces', 'interfaces'],
  ['Types', 'type-aliases'],
  ['Variables', 'variables'],
];

const pagesIn = folder =>
  existsSync(join(ROOT, folder))
    ? readdirSync(join(ROOT, folder))
        .filter(name => name.endsWith('.md'))
        .map(name => name.slice(0, -3))
        .sort((a, b) => a.localeCompare(b, 'en'))
    : [];

export function apiSidebar() {
  return entryPoints().map(({ name }) => ({
    text: folderOf(name),
    link: `/api/${folderOf(name)}/`,
    collapsed: true,
    items: KINDS.flatMap(([text, kind]) => {
      const items = pagesIn(`${API_FOLDER}/${folderOf(name)}/${kind}`).map(symbol => ({
        text: symbol,
        link: `/api/${folderOf(name)}/${kind}/${symbol}`,
      }));
      return items.length > 0 ? [{ text, items }] : [];
    }),
  }));
}

/** The page of each symbol. Where two entry points have one of a name, the earlier one has it. */
export function symbolPages() {
  const pages = new Map();
  for (const { name } of entryPoints()) {
    for (const [, kind] of KINDS) {
      for (const symbol of pagesIn(`${API_FOLDER}/${folderOf(name)}/${kind}`)) {
        if (!pages.has(symbol)) pages.set(symbol, `/api/${folderOf(name)}/${kind}/${symbol}.md`);
      }
    }
  }
  return pages;
}
