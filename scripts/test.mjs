// `npm test`: brings what the gate needs (the workspace, a real llama-server, llama.cpp as an addon, a Redis, a Prometheus,
// a browser), then runs the gate.
import { ADDON, ensureLlamaTools } from '../packages/llamacpp-native/native/llama-cpp.mjs';
import { ensureChromium } from './chromium.mjs';
import { ensurePrometheus } from './prometheus.mjs';
import { ensureRedisServer } from './redis-server.mjs';
import { ensureInstalled, run } from './workspace.mjs';

try {
  await ensureInstalled();
  await ensureRedisServer();
  await ensurePrometheus();
  await ensureChromium();
  await ensureLlamaTools({ targets: process.env.LLAMA_SERVER_PATH ? [ADDON] : ['llama-server', ADDON] });
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
process.exitCode = await run(process.execPath, ['scripts/check.mjs']);
