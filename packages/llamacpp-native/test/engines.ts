import { ensureAddon } from '../native/llama-cpp.mjs';
import type { EngineName } from '../src/index.ts';

/** What the adapter can have below it; its contract is the same over each. */
export const ENGINES: EngineName[] = ['core', 'node-llama-cpp'];

/** Compiles what is missing of them: minutes, the first time. */
export const ensureEngines = async (): Promise<void> => {
  await ensureAddon();
};
