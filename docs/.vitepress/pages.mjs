// The one table of the site: which pages there are, in which order. Navigation, sidebar and routes are made of it.
import { existsSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { API_FOLDER, markdownFiles, readPage } from '../../scripts/docs/markdown.mjs';
import { ROOT } from '../../scripts/workspace.mjs';

/**
 * Paths from the root of the repository; `/*` takes all of a folder that is not named before. What is not there (yet)
 * is left out. The title of a page is its first heading, unless one is given behind it.
 */
const SECTIONS = [
  ['Start', ['docs/getting-started.md', 'docs/troubleshooting.md']],
  [
    'Concepts',
    [
      'docs/concepts/events.md',
      'docs/concepts/endings.md',
      'docs/concepts/errors.md',
      'docs/concepts/deadlines.md',
      'docs/concepts/retry.md',
      'docs/concepts/fallback.md',
      'docs/concepts/usage-and-cost.md',
      'docs/concepts/*',
    ],
  ],
  [
    'Guides',
    [
      'docs/guides/llama-cpp-cluster.md',
      'docs/guides/budgets.md',
      'docs/guides/kubernetes-redis.md',
      'docs/guides/observability.md',
      'docs/guides/testing.md',
      'docs/guides/recordings.md',
      'docs/guides/*',
    ],
  ],
  [
    'Migration',
    [
      'docs/migration/from-openai-node.md',
      'docs/migration/from-ai-sdk.md',
      'docs/migration/from-litellm.md',
      'docs/migration/*',
    ],
  ],
  [
    'Packages',
    [
      ['packages/airframe/README.md', '@x/airframe'],
      ['packages/avionics/README.md', '@x/avionics'],
      ['packages/llamacpp-native/README.md', '@x/llamacpp-native'],
      ['packages/adapter-gemini/README.md', '@x/adapter-gemini'],
      ['apps/gateway/README.md', 'The gateway server'],
      ['apps/gateway/examples/deploy/README.md', 'Deploying the gateway'],
      ['apps/console/README.md', 'The console'],
      ['apps/terminal/README.md', 'The terminal app'],
      ['apps/demo-model/MODEL_CARD.md', 'pilot, the demo model'],
    ],
  ],
  [
    'Measured',
    [
      'docs/benchmarks.md',
      'docs/capacity.md',
      'docs/proof.md',
      'bench/README.md',
      'proof/README.md',
      'sim/README.md',
    ],
  ],
  [
    'Inside',
    [
      'docs/architecture.md',
      ['docs/decisions/README.md', 'Decisions'],
      ['docs/quirks.md', 'Quirks of backends'],
      'CONTRIBUTING.md',
      'SECURITY.md',
      'docs/*',
    ],
  ],
];

/** Pages that no section lists: the home page, and what the decisions' own page and sidebar lead to. */
const APART = ['docs/index.md', ...filesIn('docs/decisions')];

function filesIn(folder) {
  const full = join(ROOT, folder);
  if (!existsSync(full)) return [];
  return readdirSync(full)
    .filter(name => name.endsWith('.md'))
    .sort()
    .map(name => posix.join(folder, name));
}

/** @returns `{ text, pages: [{ file, text }] }` of what is there; a section without pages is left out */
export function sections() {
  const taken = new Set(APART.filter(file => !file.endsWith('README.md')));
  const named = SECTIONS.flatMap(([, entries]) => entries.map(entry => [entry].flat()[0]));
  return SECTIONS.map(([text, entries]) => ({
    text,
    pages: entries
      .flatMap(entry => {
        const [file, title] = [entry].flat();
        const files = file.endsWith('/*')
          ? filesIn(file.slice(0, -2)).filter(one => !named.includes(one))
          : [file];
        return files.map(one => ({ file: one, text: title }));
      })
      .filter(({ file }) => existsSync(join(ROOT, file)) && !taken.has(file))
      .map(({ file, text }) => ({ file, text: text ?? titleOf(file) })),
  })).filter(({ pages }) => pages.length > 0);
}

/** The first heading of a page. */
export function titleOf(file) {
  const heading = /^# (.*)$/m.exec(readPage(file))?.[1];
  if (heading === undefined)
    throw new Error(`${file} has no first heading, and docs/.vitepress/pages.mjs no title`);
  return heading.replace(/`/g, '');
}

/** All pages by their files, with the route that each has below the site's root: `packages/airframe/index.md`. */
export function routes() {
  const files = [...APART, ...sections().flatMap(({ pages }) => pages.map(({ file }) => file))];
  return new Map([...files.map(file => [file, routeOf(file)]), ['README.md', 'index.md']]);
}

/** docs/ is the site's root; a README is the page of its folder. */
export function routeOf(file) {
  return file
    .replace(/^docs\//, '')
    .replace(/(^|\/)(README|MODEL_CARD)\.md$/, '$1index.md')
    .replace(/^[A-Z]+\.md$/, name => name.toLowerCase());
}

/** A route as links have it. */
export const linkTo = route => `/${route.replace(/(^|\/)index\.md$/, '$1')}`;

/** What is Markdown but no page, for VitePress to pass over. */
export function notPages() {
  const known = routes();
  return markdownFiles().filter(file => file === 'README.md' || !known.has(file));
}

export const isApi = file => file.startsWith(`${API_FOLDER}/`);
