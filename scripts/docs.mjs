// `pnpm docs:build`: the docs site, into docs/.vitepress/dist. `pnpm docs:dev`: the same while pages are written.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, ROOT } from './workspace.mjs';

const DOCS = join(ROOT, 'docs');
const [what = 'build', ...rest] = process.argv.slice(2);

try {
  if (!/^(build|dev)$/.test(what) || rest.length > 0)
    throw new Error('usage: node scripts/docs.mjs [build|dev]');
  await ensureInstalled();
  const { API_FOLDER } = await import('./docs/markdown.mjs');
  if (what === 'build' || !existsSync(join(ROOT, API_FOLDER))) await step('API reference', writeReference);
  if (what === 'build') {
    await step('pages', buildPages);
    await step('links and anchors of the site', checkSite);
    console.log(`The site is in ${join(DOCS, '.vitepress/dist')}`);
  } else await serve();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

async function step(name, perform) {
  const started = performance.now();
  console.log(`${name} …`);
  await perform();
  console.log(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

async function writeReference() {
  const { writeApi } = await import('./docs/api.mjs');
  await writeApi();
}

/** Fails over dead links. */
async function buildPages() {
  const { build } = await import('vitepress');
  await build(DOCS);
}

async function checkSite() {
  const { problemsOfSite } = await import('./docs/site.mjs');
  const problems = problemsOfSite(join(DOCS, '.vitepress/dist'));
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

async function serve() {
  const { createServer } = await import('vitepress');
  const server = await createServer(DOCS, { host: '127.0.0.1' });
  await server.listen();
  server.printUrls();
}
