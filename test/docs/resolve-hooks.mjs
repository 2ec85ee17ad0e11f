// Module hooks of the process that runs fences: their imports are looked for in the packages of the workspace.
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

let places = {};

/** @param data by URL of a fence's module: the files that its imports are looked for from */
export async function initialize(data) {
  places = JSON.parse(await readFile(data, 'utf8'));
}

export async function resolve(specifier, context, next) {
  const from = places[context.parentURL];
  if (!from) return next(specifier, context);
  let failure;
  for (const file of from) {
    try {
      return await next(specifier, { ...context, parentURL: pathToFileURL(file).href });
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}
