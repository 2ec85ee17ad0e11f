// The commands that Markdown names, taken apart, and what is wrong with them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fencesOf, inlineCodeOf } from '../../scripts/docs/markdown.mjs';
import { ROOT, workspaceFolders } from '../../scripts/workspace.mjs';

/** Programs that are none of ours; only the paths they are given are looked at. */
const FOREIGN = new Set(
  'cat cd claude cmake cp curl docker echo export git helm jq kubectl litellm llama-server mkdir pip python redis-cli redis-server unset'.split(
    ' ',
  ),
);

/** What npm and pnpm do themselves. */
const BUILT_IN = new Set('add audit ci exec init install i pack publish outdated why dlx create'.split(' '));

/** Where the options of a script stand that only starts something built. */
const SOURCES_OF = { start: ['apps/terminal/src'], gateway: ['apps/gateway/src'], test: ['scripts'] };

const manifestOf = folder => JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));

/** Commands of the workspace's packages, each with the folder of its source. */
const BINS = new Map(
  workspaceFolders().flatMap(folder =>
    Object.entries(manifestOf(folder).bin ?? {}).map(([name, file]) => [
      name,
      [join(folder, dirname(file)).replace(/dist$/, 'src')],
    ]),
  ),
);

/** The simple commands of a page's shell fences, and of what its prose has in `…`: `{ file, line, words }` each. */
export function commandsOf(file, markdown) {
  const shells = fencesOf(markdown).filter(
    ({ lang, marks }) => /^(sh|bash|shell)$/.test(lang) && !('no-check' in marks),
  );
  const fenced = shells.flatMap(({ line, code }) => ({ line, text: code }));
  const inline = inlineCodeOf(markdown)
    .filter(({ code }) => /^(npm|npx|pnpm|node) [^<…]+$/.test(code))
    .map(({ line, code }) => ({ line, text: code }));
  return [...fenced, ...inline].flatMap(({ line, text }) =>
    simpleCommands(text).map(words => ({ file, line, words })),
  );
}

/** @returns the words of each command, without comments, variables set for it, and redirections */
export function simpleCommands(text) {
  const commands = [[]];
  const joined = text.replace(/\\\n\s*/g, ' ').replace(/<<-?\s*'?(\w+)'?([\s\S]*?)\n\s*\1$/gm, '');
  for (const [token, word] of joined.matchAll(
    /(?:^|(?<=\s))#[^\n]*|(&&|\|\||[|;\n&])|(?:[^\s"'|;&]|"[^"]*"|'[^']*')+/g,
  )) {
    if (token.startsWith('#')) continue;
    if (word) commands.push([]);
    else commands.at(-1).push(token.replace(/^(["'])(.*)\1$/s, '$2'));
  }
  return commands.map(withoutShell).filter(words => words.length > 0);
}

function withoutShell(words) {
  const plain = words.filter((word, at) => !/^\d?[<>]/.test(word) && !/^\d?[<>]$/.test(words[at - 1] ?? ''));
  const start = plain.findIndex(word => word !== '$' && !/^[A-Za-z_]\w*=/.test(word));
  return start < 0 ? [] : plain.slice(start);
}

/** @returns what is wrong with a command, or undefined */
export function problemOf({ file, words }) {
  const missing = words.find(word => isOurPath(word) && !existsSync(join(ROOT, word)));
  if (missing) return `there is no ${missing}`;
  const [program, ...rest] = words;
  if (program === 'npm' || program === 'pnpm') return problemOfScript(program, rest, file);
  if (program === 'npx') return problemOfBin(rest.filter(word => word !== '--yes'));
  if (program === 'node') return problemOfNode(rest);
  if (BINS.has(program)) return problemOfOptions(rest, BINS.get(program));
  return FOREIGN.has(program) ? undefined : `${program} is no command that test/docs/commands.mjs knows`;
}

const TOP = /^(apps|bench|docs|packages|scripts|sim|test)\/[\w./-]+$/;
const isOurPath = word => TOP.test(word);

function problemOfScript(program, words, file) {
  const folder = /^(packages|apps)\/[^/]+/.exec(file)?.[0];
  const scripts = { ...(folder ? manifestOf(folder).scripts : {}), ...manifestOf('.').scripts };
  const [first, ...rest] = withoutOptions(words);
  const [name, ...more] = first === 'run' ? rest : [first, ...rest];
  if (name === undefined) return undefined;
  if (Object.hasOwn(scripts, name)) {
    const script = /node (\S+)\/[\w-]+\.mjs/.exec(scripts[name])?.[1];
    const places = SOURCES_OF[name] ?? (script ? [script, dirname(script)] : undefined);
    return places && problemOfOptions(more, places);
  }
  if (first !== 'run' && BUILT_IN.has(name)) return undefined;
  if (program === 'pnpm' && existsSync(join(ROOT, 'node_modules/.bin', name))) return undefined;
  return `there is no script ${name}`;
}

/** What stands ahead of the command: `--dir PATH` and the like. */
function withoutOptions(words) {
  if (!words[0]?.startsWith('-')) return words;
  const takesValue = /^(--dir|-C|--filter|--prefix)$/.test(words[0]);
  return withoutOptions(words.slice(takesValue ? 2 : 1));
}

function problemOfBin([name, ...rest]) {
  if (BINS.has(name)) return problemOfOptions(rest, BINS.get(name));
  return existsSync(join(ROOT, 'node_modules/.bin', name)) ? undefined : `there is no command ${name}`;
}

function problemOfNode(words) {
  const at = words.findIndex(word => !word.startsWith('-'));
  // `-e` and the reader's own files.
  if (at < 0 || words[0] === '-e' || !words[at].includes('/') || !isOurPath(words[at])) return undefined;
  return problemOfOptions(words.slice(at + 1), [dirname(words[at]), dirname(dirname(words[at]))]);
}

/** Each option has to stand in one of the sources that read them. */
function problemOfOptions(words, folders) {
  const sources = folders.flatMap(textsIn).join('\n');
  const unknown = words
    .filter(word => /^--[a-z]/.test(word))
    .map(word => word.replace(/=.*/, ''))
    .find(
      option => !sources.includes(option) && !new RegExp(`\\b'?${option.slice(2)}'?: \\{ type`).test(sources),
    );
  return unknown && `${folders[0]} knows no ${unknown}`;
}

function textsIn(folder) {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder))
    .filter(name => /\.(mjs|ts)$/.test(name) && !name.endsWith('.test.ts'))
    .map(name => readFileSync(join(ROOT, folder, name), 'utf8'));
}
