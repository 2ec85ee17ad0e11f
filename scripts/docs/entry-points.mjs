// What can be imported from the packages.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, workspaceFolders } from '../workspace.mjs';

/** What the subpaths are for. A package says it in its manifest. */
const ABOUT = {
  '@x/airframe/llama-server': "The adapter of llama.cpp's server alone.",
  '@x/airframe/openai-chat': 'The adapter of Chat Completions, and of the servers that speak it, alone.',
  '@x/airframe/openai-responses': "The adapter of OpenAI's Responses API alone.",
  '@x/airframe/anthropic-messages': "The adapter of Anthropic's Messages API alone.",
  '@x/airframe/azure-openai': 'The adapter of Azure OpenAI alone.',
  '@x/airframe/conformance': 'The conformance kit for adapters.',
  '@x/airframe/conformance/vitest': 'The kit as tests of vitest.',
  '@x/airframe/registry/kubernetes': 'Endpoints from Kubernetes.',
  '@x/airframe/testing': 'Scripted backends, recordings and replays, for your tests.',
  '@x/avionics/redis': 'The store that replicas share.',
};

/** The public entry points: `{ name, file, about }` each; `name` is what is imported: `@x/airframe/testing`. */
export function entryPoints() {
  return workspaceFolders()
    .toSorted(byWeight)
    .flatMap(folder => {
      const manifest = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
      if (manifest.private) return [];
      return Object.entries(manifest.exports).flatMap(([subpath, { '@x/source': file }]) => {
        const name = manifest.name + subpath.slice(1);
        const about = ABOUT[name] ?? `${manifest.description}.`;
        return file === undefined ? [] : [{ name, file: join(folder, file), about }];
      });
    });
}

/** The packages in the order of their layers; those from outside last. */
function byWeight(a, b) {
  const weight = folder =>
    ['airframe', 'avionics', 'llamacpp-native'].findIndex(name => folder.endsWith(name)) >>> 0;
  return weight(a) - weight(b);
}

/** The folder of an entry point's pages below docs/api: its name without the scope. */
export const folderOf = name => name.replace(/^@[^/]+\//, '');
