// `npm test`: brings what the gate needs (the workspace, a real llama-server, a Redis), then runs the gate.
import { ensureLlamaServer } from '../packages/llamacpp-native/native/llama-cpp.mjs';
import { ensureRedisServer } from './redis-server.mjs';
import { ensureInstalled, run } from './workspace.mjs';

try {
  await ensureInstalled();
  await ensureRedisServer();
  await ensureLlamaServer();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
process.exitCode = await run(process.execPath, ['scripts/check.mjs']);
