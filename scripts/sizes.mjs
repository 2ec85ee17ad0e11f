// The gate's check of sizes, with size-limit: what a user's bundle and a user's install gain by each package.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import esbuildPlugin from '@size-limit/esbuild';
import filePlugin from '@size-limit/file';
import sizeLimit from 'size-limit';
import { printTable } from '../bench/report.mjs';
import { ROOT } from './workspace.mjs';

/**
 * Bytes of one file with all code of the package that the entry imports, for Node, minified, compressed by brotli; the
 * dependencies are not in it. Budgets are 5 to 10 % above what was measured when they were set. A change that needs more
 * raises its budget here, and its commit says what the bytes are for.
 */
const BUNDLES = {
  'airframe/dist/index.js': 57_300,
  'airframe/dist/adapters/llama-server/index.js': 41_500,
  'airframe/dist/adapters/openai-chat/index.js': 44_000,
  'airframe/dist/adapters/openai-responses/index.js': 42_700,
  'airframe/dist/adapters/anthropic-messages/index.js': 41_600,
  'airframe/dist/adapters/azure-openai/index.js': 45_600,
  'airframe/dist/registry/kubernetes/index.js': 32_400,
  'avionics/dist/index.js': 45_300,
  'avionics/dist/redis/index.js': 4_300,
  'llamacpp-native/dist/index.js': 21_600,
  'adapter-gemini/dist/index.js': 4_600,
};

/** Bytes of all code and declarations in dist, each file gzipped. */
const FOLDERS = {
  'airframe/dist': 193_000,
  'avionics/dist': 119_300,
  'llamacpp-native/dist': 43_400,
  'adapter-gemini/dist': 8_300,
};

const NODE = { platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' };
const forNode = config => ({ ...config, ...NODE });

const rows = [
  ...(await measured(BUNDLES, [esbuildPlugin, filePlugin], path => ({
    files: [join(ROOT, 'packages', path)],
    modifyEsbuildConfig: forNode,
  }))),
  ...(await measured(FOLDERS, [filePlugin], path => ({ files: filesIn(path), gzip: true }))),
];
printTable(
  'Sizes in bytes: bundles (brotli), and folders (gzip)',
  ['', 'size', 'budget', 'used', ''],
  rows.map(({ path, size, budget }) => [
    path,
    size,
    budget,
    `${((100 * size) / budget).toFixed(0)} %`,
    size > budget ? 'OVER' : '',
  ]),
);
const over = rows.filter(({ size, budget }) => size > budget);
for (const { path, size, budget } of over) {
  console.error(
    `packages/${path} is ${size - budget} bytes over its budget; make it smaller, or raise the budget`,
  );
}
process.exitCode = over.length > 0 ? 1 : 0;

async function measured(budgets, plugins, checkOf) {
  const rows = [];
  for (const [path, budget] of Object.entries(budgets)) {
    const [{ size }] = await sizeLimit(plugins, { checks: [checkOf(path)] });
    rows.push({ path, size, budget });
  }
  return rows;
}

function filesIn(path) {
  const folder = join(ROOT, 'packages', path);
  const names = readdirSync(folder, { recursive: true }).filter(name => /\.(?:js|d\.ts)$/.test(name));
  return names.map(name => join(folder, name));
}
