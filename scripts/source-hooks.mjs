// Module hooks for run-sources.mjs. Node 20 reads no TypeScript; esbuild, which tsup brings, takes the types out.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const tsup = createRequire(import.meta.url).resolve('tsup');
const { transform } = createRequire(tsup)('esbuild');

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const text = await readFile(fileURLToPath(url), 'utf8');
  const { code } = await transform(text, { loader: 'ts', target: 'node20.18', sourcefile: url });
  return { format: 'module', source: code, shortCircuit: true };
}
