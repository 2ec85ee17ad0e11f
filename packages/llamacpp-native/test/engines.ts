import type { EngineName } from '../src/index.ts';

/** What the adapter can have below it; its contract is the same over each. */
export const ENGINES: EngineName[] = ['core', 'node-llama-cpp'];
