// Runs the modules of Markdown against a scripted backend.
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ROOT } from '../../scripts/workspace.mjs';
import { foldersFor } from './modules.mjs';

/** What no fence is run with, and why: each needs more than a scripted backend. */
const NEEDS = {
  '@x/avionics/redis': 'a Redis',
  ioredis: 'a Redis',
  '@kubernetes/client-node': 'a cluster',
  '@x/llamacpp-native': 'llama.cpp and a model',
  '@x/airframe/conformance/vitest': 'vitest',
  vitest: 'vitest',
  'node:test': 'the test runner of Node',
  fastify: 'a server that goes on',
};

/** Why a module is not run; undefined: it is. */
export function whyNotRun({ code, notRun }) {
  if (notRun !== undefined) return notRun;
  const imported = [...code.matchAll(/\bfrom\s+'([^']+)'|\bimport\('([^']+)'\)/g)].map(([, a, b]) => a ?? b);
  const needed = imported.find(name => Object.hasOwn(NEEDS, name));
  return needed && NEEDS[needed];
}

/**
 * @param modules as `modulesOf` gives them
 * @param origin of the scripted backend, which all addresses of the modules become
 * @returns one line a failure: `file:line: problem`
 */
export async function failuresOf(modules, origin) {
  const folder = mkdtempSync(join(tmpdir(), 'airframe-fences-'));
  try {
    const urls = modules.map(({ code }, index) => {
      const file = join(folder, `fence-${index}.ts`);
      writeFileSync(file, withPrints(withOrigin(code, origin)));
      return pathToFileURL(file).href;
    });
    const places = join(folder, 'places.json');
    const from = Object.fromEntries(urls.map((url, index) => [url, foldersFor(modules[index].file)]));
    writeFileSync(places, JSON.stringify(from));
    const problems = await play({ modules: urls, places }, folder, origin);
    return modules.flatMap(({ file, line }, index) => {
      const problem = problems.has(index) ? problems.get(index) : 'ended the process, or was never reached';
      return problem === undefined ? [] : [`${file}:${line}: ${problem}`];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each address in quotes becomes a path of its own below the backend's, so that different ones stay different. */
function withOrigin(code, origin) {
  const known = new Map();
  return code.replace(/(?<=['"`])https?:\/\/[\w.-]+(:\d+)?/g, address => {
    if (!known.has(address)) known.set(address, `${origin}/at-${known.size}`);
    return known.get(address);
  });
}

/** `console.log(…); // → text` has to print that text. */
function withPrints(code) {
  return code.replace(
    /console\.log\((.*)\); \/\/ → (.*)$/gm,
    (_, values, text) => `globalThis.prints(${JSON.stringify(text)}, ${values});`,
  );
}

function play(message, folder, origin) {
  const child = fork(fileURLToPath(new URL('run-modules.mjs', import.meta.url)), {
    cwd: folder,
    execArgv: [
      '--conditions=@x/source',
      '--import',
      pathToFileURL(join(ROOT, 'scripts/run-sources.mjs')).href,
    ],
    env: environment(origin),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const problems = new Map();
  let stderr = '';
  child.stderr.on('data', chunk => {
    stderr += chunk;
  });
  child.on('message', ({ index, problem }) => problems.set(index, problem));
  child.send(message);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      if (problems.size === 0) reject(new Error(`no fence was run: ${stderr}`));
      else resolve(problems);
    });
  });
}

/** What the pages say is set: the backends' addresses and keys, nothing of the user's own. */
function environment(origin) {
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    LLAMASERVER_HOST: origin,
    OPENAI_BASE_URL: `${origin}/v1`,
    ANTHROPIC_BASE_URL: origin,
    OPENAI_API_KEY: 'sk-scripted',
    ANTHROPIC_API_KEY: 'sk-scripted',
    GEMINI_API_KEY: 'scripted',
    LLM_MAX_RETRIES: '0',
  };
}
