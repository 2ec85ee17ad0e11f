import { ensureAddon } from '../packages/llamacpp-native/native/llama-cpp.mjs';

/** Compiles llama.cpp for tests in which it runs in the process: minutes, the first time on a machine. */
export default async function setup(): Promise<void> {
  await ensureAddon();
}
