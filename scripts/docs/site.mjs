// Looks at the built site: VitePress fails over links to pages that are not there, and lets anchors pass.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';

/** @returns one line a link of the site that leads nowhere */
export function problemsOfSite(folder) {
  const pages = new Map(
    readdirSync(folder, { recursive: true })
      .filter(name => name.endsWith('.html'))
      .map(name => [name.split(sep).join('/'), readFileSync(join(folder, name), 'utf8')]),
  );
  const anchors = new Map([...pages].map(([page, html]) => [page, anchorsIn(html)]));
  return [...pages].flatMap(([page, html]) =>
    hrefsIn(html).flatMap(href => {
      const problem = problemOf(href, page, { anchors, folder });
      return problem ? [`${page}: ${href} ${problem}`] : [];
    }),
  );
}

const anchorsIn = html => new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id));

const hrefsIn = html => [
  ...new Set([...html.matchAll(/<a\s[^>]*?href="([^"]+)"/g)].map(([, href]) => href.replace(/&amp;/g, '&'))),
];

function problemOf(href, page, { anchors, folder }) {
  if (/^[a-z]+:/.test(href)) return undefined;
  const [path, anchor] = href.split('#');
  const target =
    path === '' ? page : fileOf(posix.join('/', path.startsWith('/') ? '' : dirname(page), path));
  if (!anchors.has(target)) return existsSync(join(folder, target)) ? undefined : 'leads to no page';
  if (!anchor || anchors.get(target).has(decodeURIComponent(anchor))) return undefined;
  return 'leads to no anchor';
}

function fileOf(path) {
  const file = relative('/', decodeURI(path)).split(sep).join('/');
  return path.endsWith('/') ? posix.join(file, 'index.html') : file.replace(/(\.html)?$/, '.html');
}
