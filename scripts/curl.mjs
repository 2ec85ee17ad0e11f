// Brings curl for the tests that call the gateway with it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../packages/llamacpp-native/native/paths.mjs';
import { ensurePrograms, findProgram, toStderr } from '../packages/llamacpp-native/native/programs.mjs';

const CURL = {
  purpose: 'testing with curl',
  packages: ['curl'],
  hints: ['Fedora: `sudo dnf install curl`', 'macOS: it is there'],
};

/** Absolute path of curl; root on Debian gets it installed when it is missing. */
export async function ensureCurl({ log = toStderr } = {}) {
  mkdirSync(cacheDir(), { recursive: true });
  await ensurePrograms([['curl']], CURL, { log, logFile: join(cacheDir(), 'curl.log') });
  return join(findProgram('curl'), 'curl');
}
