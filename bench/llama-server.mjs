// Real llama-servers for the benchmarks.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureLlamaServer } from '../packages/llamacpp-native/native/llama-cpp.mjs';
import { freePort } from '../scripts/free-port.mjs';
import { ensureRandomModel } from '../scripts/make-random-gguf.mjs';

/** Longest time from the start of the process to a loaded model, in milliseconds. */
const READY_MS = 60_000;

/**
 * Starts a llama-server.
 * @param model path of a GGUF file; undefined: the model of random weights
 * @param threads undefined: one
 * @param slots calls it works on at once
 * @param contextTokens tokens of context of each slot
 * @param cacheRamMiB its prompt cache beside the slots; undefined: as llama-server has it by default (8,192)
 * @param port undefined: a free one
 * @returns `kill` ends it as a crash would, `promptTokens` tells how many tokens of prompts it has evaluated
 */
export async function startServer({ model, threads = 1, slots, contextTokens, cacheRamMiB, port }) {
  const [binary, path] = [await ensureLlamaServer(), model ?? (await ensureRandomModel())];
  const chosen = port ?? (await freePort());
  const args = ['--model', path, '--host', '127.0.0.1', '--port', `${chosen}`, '--metrics', '--slots'];
  args.push('--parallel', `${slots}`, '--ctx-size', `${slots * contextTokens}`);
  args.push('--threads', `${threads}`, '--threads-batch', `${threads}`);
  if (cacheRamMiB !== undefined) args.push('--cache-ram', `${cacheRamMiB}`);
  const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', chunk => {
    log = (log + chunk).slice(-4_000);
  });
  const end = async signal => {
    process.off('exit', onExit);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  const onExit = () => child.kill('SIGKILL');
  process.on('exit', onExit);
  const url = `http://127.0.0.1:${chosen}`;
  const endsAt = performance.now() + READY_MS;
  while ((await fetch(`${url}/health`).catch(() => undefined))?.status !== 200) {
    if (child.exitCode !== null || performance.now() > endsAt) {
      await end('SIGKILL');
      throw new Error(`llama-server did not come up; the end of its log:\n${log}`);
    }
    await sleep(50);
  }
  return {
    url,
    port: chosen,
    promptTokens: async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      return Number(/^llamacpp:prompt_tokens_total (\S+)$/m.exec(metrics)?.[1]);
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}
