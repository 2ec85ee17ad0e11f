// `npm test`: brings what the gate needs (the workspace, a real llama-server), then runs the gate.
import { ensureLlamaServer } from './llama-server.mjs';
import { ensureInstalled, run } from './workspace.mjs';

try {
  await ensureInstalled();
  await ensureLlamaServer();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
process.exitCode = await run(process.execPath, ['scripts/check.mjs']);
