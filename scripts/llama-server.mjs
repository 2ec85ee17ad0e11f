// `node scripts/llama-server.mjs [target…]` prints one path for each of llama.cpp's programs, built when the cache
// lacks them (default: llama-server).
import { ensureLlamaServer, ensureLlamaTools } from '../packages/llamacpp-native/native/llama-cpp.mjs';
import { command } from '../packages/llamacpp-native/native/programs.mjs';

await command(async targets => {
  const paths =
    targets.length > 0 ? Object.values(await ensureLlamaTools({ targets })) : [await ensureLlamaServer()];
  process.stdout.write(`${paths.join('\n')}\n`);
});
