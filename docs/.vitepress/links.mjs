// Links as they work in the repository, made into such as work on the site: pages become routes, and what is no page of
// it a path to read. Names of exported symbols lead to the API reference.
import { existsSync, statSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { ROOT } from '../../scripts/workspace.mjs';
import { isApi, linkTo } from './pages.mjs';

/** @param routes by file; @param symbols the API page of each symbol */
export function linksPlugin(md, { routes, symbols }) {
  md.core.ruler.push('repository-links', ({ tokens, env, Token }) => {
    const file = sourceOf(env);
    if (isApi(file)) return;
    const seen = new Set();
    for (const [at, { type, children }] of tokens.entries()) {
      if (type !== 'inline') continue;
      for (const [index, token] of children.entries()) {
        if (token.type === 'link_open') rewrite(token, closeOf(children, index), file, routes);
      }
      if (tokens[at - 1]?.type !== 'heading_open') linkSymbols(children, symbols, seen, Token);
    }
  });
}

/** Where a page lies. `path` is where its route would, except for the index of the search, which knows no other. */
function sourceOf({ path, realPath = path ?? '' }) {
  return relative(ROOT, realPath).split(sep).join('/');
}

const closeOf = (children, from) => children.slice(from).find(({ type }) => type === 'link_close');

function rewrite(open, close, file, routes) {
  const href = open.attrGet('href');
  if (/^([a-z]+:|#|\/)/.test(href)) return;
  const [path, anchor] = href.split('#');
  const target = posix.join(posix.dirname(file), decodeURI(path));
  const route = routes.get(pageOf(target));
  if (route !== undefined) {
    open.attrSet('href', linkTo(route) + (anchor === undefined ? '' : `#${anchor}`));
    return;
  }
  if (!existsSync(join(ROOT, target))) throw new Error(`${file}: ${href} leads to no file`);
  open.tag = 'span';
  close.tag = 'span';
  open.attrs = [
    ['class', 'source'],
    ['title', target],
  ];
}

/** Of a folder its README is shown. */
function pageOf(target) {
  const full = join(ROOT, target);
  return existsSync(full) && statSync(full).isDirectory() ? posix.join(target, 'README.md') : target;
}

/** The first time that a page names a symbol, the name becomes a link. */
function linkSymbols(children, symbols, seen, Token) {
  let depth = 0;
  for (let at = 0; at < children.length; at++) {
    const { type, content } = children[at];
    if (type === 'link_open') depth++;
    else if (type === 'link_close') depth--;
    else if (type === 'code_inline' && depth === 0) {
      const name = symbolIn(content);
      const page = symbols.get(name);
      if (page === undefined || seen.has(name)) continue;
      seen.add(name);
      const open = new Token('link_open', 'a', 1);
      open.attrSet('href', page);
      children.splice(at, 1, open, children[at], new Token('link_close', 'a', -1));
      at += 2;
    }
  }
}

/** `withRetry(adapter)`, `new Limiter({…})` and `AirframeError` are names; `check` alone may be any word. */
function symbolIn(code) {
  const [, name, called] = /^(?:new )?([A-Za-z_]\w*)(\(.*\))?$/s.exec(code) ?? [];
  return name !== undefined && (called || /^[A-Z]\w*[a-z]|[a-z][A-Z]/.test(name)) ? name : undefined;
}
