import { defineConfig } from 'vitepress';
import { slugify } from '../../scripts/docs/markdown.mjs';
import { apiSidebar, symbolPages } from './api.mjs';
import { HOME } from './home.mjs';
import { linksPlugin } from './links.mjs';
import { isApi, linkTo, notPages, routeOf, routes, sections, titleOf } from './pages.mjs';

/** A wing in the brand's colour. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M3 24 29 6 20 27l-6-7z" fill="#0e7c9f"/></svg>',
)}`;

const SECTIONS = sections();
const ROUTES = routes();

const itemOf = ({ file, text }) => ({ text, link: linkTo(routeOf(file)), ...decisionsBelow(file) });

/** The decisions stand below their own page. */
function decisionsBelow(file) {
  if (file !== 'docs/decisions/README.md') return {};
  const files = [...ROUTES.keys()].filter(one => /^docs\/decisions\/\d/.test(one));
  return { collapsed: true, items: files.map(one => ({ text: titleOf(one), link: linkTo(routeOf(one)) })) };
}

const first = name => {
  const page = SECTIONS.find(({ text }) => text === name)?.pages[0];
  return page
    ? [{ text: name, link: itemOf(page).link, activeMatch: `^/${routeOf(page.file).split('/')[0]}/` }]
    : [];
};

export default defineConfig({
  title: 'airframe · avionics',
  description: 'LLM access for TypeScript: transport, orchestration, llama.cpp in the process',
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: ICON }]],
  // Pages lie beside what they are about; the routes are as if all were in docs.
  srcDir: '..',
  srcExclude: [...notPages(), '.changeset/**', '**/CHANGELOG.md', '.github/**', '**/bench-results/**'],
  rewrites: file => (isApi(file) ? file.replace(/^docs\//, '') : (ROUTES.get(file) ?? file)),
  outDir: './.vitepress/dist',
  cacheDir: './.vitepress/cache',
  appearance: true,
  // The index of the search is one chunk.
  vite: { build: { chunkSizeWarningLimit: 5_000 } },
  // In the repository the page is plain Markdown.
  transformPageData: page =>
    page.relativePath === 'index.md' ? { title: HOME.title, frontmatter: HOME } : undefined,
  markdown: {
    anchor: { slugify },
    config: md => linksPlugin(md, { routes: ROUTES, symbols: symbolPages() }),
  },
  themeConfig: {
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    nav: [
      { text: 'Start', link: '/getting-started' },
      ...first('Concepts'),
      ...first('Guides'),
      ...first('Packages'),
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
    ],
    sidebar: {
      '/api/': apiSidebar(),
      '/': SECTIONS.map(({ text, pages }) => ({ text, collapsed: false, items: pages.map(itemOf) })),
    },
    footer: { message: 'Apache-2.0' },
  },
});
