// The figures of the docs: nobody types them. A set NAME is a JSON file (docs/figures/NAME.json), a module beside it that
// says how it reads as Markdown and as a chart, and the marked regions of pages that hold what the module says:
//
//   <!-- figures:NAME -->  or  <!-- figures:NAME:PART -->  …  <!-- /figures -->
//
// The module exports name, files (pages), render(json, part) → Markdown, and, where it has them, svg(json) → the chart
// docs/figures/NAME.svg, code (paths of what is measured) and measure() → { command, rows, … }, the rest of the JSON.
//
// Without an option all sets are measured anew and written, which takes an hour or so; `--measure NAME`
// measures some. `--check` exits with 1 where a page or a chart is not what the JSON gives, `--write` makes it so. `--fresh`
// lists what was never measured, or whose code has changed since, and exits with 1 where there is any.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ROOT } from './workspace.mjs';

const FOLDER = join('docs', 'figures');
const REGION = /<!-- figures:([\w-]+)(?::([\w-]+))? -->\n([\s\S]*?)<!-- \/figures -->/g;

/** @returns the regions of a page: `{ name, part, body }` each */
export function regionsOf(page) {
  return [...page.matchAll(REGION)].map(([, name, part, body]) => ({ name, part, body: body.trim() }));
}

/** @param render (name, part) → Markdown; undefined leaves a region as it is */
export function fillRegions(page, render) {
  return page.replace(REGION, (whole, name, part) => {
    const body = render(name, part);
    if (body === undefined) return whole;
    return `<!-- figures:${name}${part ? `:${part}` : ''} -->\n\n${body.trim()}\n\n<!-- /figures -->`;
  });
}

/** A Markdown table as the formatter writes it: the first column to the left, the others to the right. */
export function table(headers, rows) {
  const cells = [headers, ...rows].map(row => row.map(String));
  const widths = headers.map((_, column) => Math.max(3, ...cells.map(row => [...row[column]].length)));
  const pad = (cell, at) => {
    const blanks = ' '.repeat(widths[at] - [...cell].length);
    return at === 0 ? cell + blanks : blanks + cell;
  };
  const line = row => `| ${row.map(pad).join(' | ')} |`;
  const rule = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const [head, ...body] = cells.map(line);
  return [head, `| ${rule.join(' | ')} |`, ...body].join('\n');
}

/** One sentence on where figures come from. */
export function provenance({ command, date, commit, node, cpus: cores }) {
  return `Measured by \`${command}\` on ${date.slice(0, 10)}, at commit ${commit}, with Node ${node} on ${cores} cores.`;
}

/**
 * What was measured, and when, with what and at which commit.
 * @param figures `{ name, command, rows, … }`
 * @param code the paths of what is measured; where they have changes, the commit ends in `-dirty`
 */
export function figuresOf({ name, command, ...rest }, code = []) {
  const facts = { date: new Date().toISOString(), commit: commitOf(code), node: process.versions.node };
  return { name, command, ...facts, cpus: cpus().length, ...rest };
}

/** Writes docs/figures/NAME.json, which is {@link figuresOf} what is given. */
export function writeFigures(figures, code = []) {
  const file = join(ROOT, FOLDER, `${figures.name}.json`);
  writeFileSync(file, `${JSON.stringify(figuresOf(figures, code), null, 2)}\n`);
  execFileSync(join(ROOT, 'node_modules', '.bin', 'biome'), ['format', '--write', file], { stdio: 'pipe' });
  return file;
}

/** @returns each module of docs/figures, with its JSON as `json` */
export async function loadFigureSets(root = ROOT) {
  const folder = join(root, FOLDER);
  const names = existsSync(folder) ? readdirSync(folder).filter(file => file.endsWith('.mjs')) : [];
  return Promise.all(
    names.map(async file => {
      const set = await import(pathToFileURL(join(folder, file)).href);
      const source = join(folder, `${set.name}.json`);
      return { ...set, json: existsSync(source) ? JSON.parse(readFileSync(source, 'utf8')) : undefined };
    }),
  );
}

/** @returns what the files ought to be: `{ file, content, problems }` each */
export function wantedFiles(sets, root = ROOT) {
  const charts = sets
    .filter(({ svg, json }) => svg && json)
    .map(({ name, svg, json }) => ({ file: join(FOLDER, `${name}.svg`), content: `${svg(json).trim()}\n` }));
  // What can be measured may be so later: its regions say it, and `--fresh`.
  const missing = sets
    .filter(({ json, measure }) => !json && !measure)
    .map(({ name }) => `${FOLDER}/${name}.json is missing; node scripts/figures.mjs --measure ${name}`);
  const pages = [...new Set(sets.flatMap(({ files }) => files))].map(file => wantedPage(file, sets, root));
  return { files: [...charts, ...pages], problems: [...missing, ...pages.flatMap(page => page.problems)] };
}

function wantedPage(file, sets, root) {
  const page = readFileSync(join(root, file), 'utf8');
  const regions = regionsOf(page);
  const unknown = regions.filter(({ name }) => !sets.some(set => set.name === name));
  const without = sets.filter(
    set => set.files.includes(file) && !regions.some(({ name }) => name === set.name),
  );
  return {
    file,
    content: fillRegions(page, (name, part) => {
      const set = sets.find(one => one.name === name);
      return set && !set.json ? notMeasured(name) : set?.render(set.json, part);
    }),
    problems: [
      ...unknown.map(
        ({ name }) => `${file} has a region figures:${name}, but there is no ${FOLDER}/${name}.mjs`,
      ),
      ...without.map(
        ({ name }) => `${file} has no region figures:${name}, though ${FOLDER}/${name}.mjs names it`,
      ),
    ],
  };
}

const notMeasured = name => `_Not measured yet: \`node scripts/figures.mjs --measure ${name}\`._`;

/** @returns one line for each file that is not what the figures give */
export async function checkFigures(root = ROOT) {
  const { files, problems } = wantedFiles(await loadFigureSets(root), root);
  const old = files.filter(({ file, content }) => textOf(join(root, file)) !== content);
  return [
    ...problems,
    ...old.map(({ file }) => `${file} is not what its figures give; node scripts/figures.mjs --write`),
  ];
}

/** @returns one line for each set whose code has changed since it was measured */
export async function staleFigures(root = ROOT) {
  const sets = (await loadFigureSets(root)).filter(({ code }) => code);
  return sets.flatMap(({ name, json, code }) => {
    if (!json) return [`${name} was never measured; node scripts/figures.mjs --measure ${name}`];
    const commit = json.commit.replace('-dirty', '');
    const changed = git(['log', '--format=%h', `${commit}..HEAD`, '--', ...code]);
    if (changed === '') return [];
    const why =
      changed === undefined ? `commit ${commit} is not in this clone` : `${code.join(', ')} changed`;
    return [`${name}, measured at ${json.commit}: ${why}; node scripts/figures.mjs --measure ${name}`];
  });
}

function commitOf(code) {
  const commit = git(['rev-parse', '--short=12', 'HEAD']) ?? 'unknown';
  return code.length > 0 && git(['status', '--porcelain', '--', ...code]) ? `${commit}-dirty` : commit;
}

/** @returns what git prints, or undefined where it fails */
function git(args) {
  try {
    return execFileSync('git', args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

const textOf = file => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);

async function measurable() {
  return (await loadFigureSets()).filter(one => one.measure).map(({ name }) => name);
}

async function measure(names, quick) {
  const sets = await loadFigureSets();
  for (const name of names) {
    const set = sets.find(one => one.name === name && one.measure);
    if (!set) {
      const known = (await measurable()).join(', ');
      throw new Error(`--measure ${name} names nothing that measures; there are: ${known}`);
    }
    console.error(`measuring ${name} …`);
    const file = writeFigures(
      { name, ...(await set.measure(quick && set.hasQuick ? ['--quick'] : [])) },
      set.code,
    );
    console.log(`written: ${relative(ROOT, file)}`);
  }
}

async function write() {
  const { files } = wantedFiles(await loadFigureSets());
  for (const { file, content } of files.filter(one => textOf(join(ROOT, one.file)) !== one.content)) {
    writeFileSync(join(ROOT, file), content);
    console.log(`written: ${file}`);
  }
  return checkFigures();
}

async function main() {
  const flags = ['check', 'write', 'fresh', 'quick'].map(name => [name, { type: 'boolean' }]);
  const { values } = parseArgs({
    options: { ...Object.fromEntries(flags), measure: { type: 'string', multiple: true } },
  });
  const asksNothing = Object.keys(values).every(name => name === 'quick');
  const wanted = asksNothing ? await measurable() : values.measure;
  if (wanted) await measure(wanted, values.quick);
  const problems = values.write || wanted ? await write() : values.check ? await checkFigures() : [];
  if (values.fresh) problems.push(...(await staleFigures()));
  for (const problem of problems) console.error(problem);
  return problems.length > 0 ? 1 : 0;
}

// No top-level await: the modules of docs/figures import this one, and would wait for it while it waits for them.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().then(
    code => {
      process.exitCode = code;
    },
    error => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
