#!/usr/bin/env node
// `npx llamacpp-native build`: compiles the addon for this machine, once; see README.md.
import { ensureAddon } from './llama-cpp.mjs';
import { command } from './programs.mjs';

await command(async ([what, ...rest]) => {
  if (what !== 'build' || rest.length > 0) {
    throw new Error(
      'usage: llamacpp-native build\nCompiles llama.cpp for this machine and puts it into the cache.',
    );
  }
  process.stdout.write(`${await ensureAddon()}\n`);
});
