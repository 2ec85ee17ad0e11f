// Brings Debian's chromium for the tests that look at pages.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../packages/llamacpp-native/native/paths.mjs';
import { ensurePrograms, findProgram, toStderr } from '../packages/llamacpp-native/native/programs.mjs';

const CHROMIUM = {
  purpose: 'testing in a browser',
  packages: ['chromium'],
  hints: ['Fedora: `sudo dnf install chromium`', 'macOS: `brew install --cask chromium`'],
};

/** Absolute path of chromium; root on Debian gets it installed when it is missing. */
export async function ensureChromium({ log = toStderr } = {}) {
  mkdirSync(cacheDir(), { recursive: true });
  await ensurePrograms([['chromium']], CHROMIUM, { log, logFile: join(cacheDir(), 'chromium.log') });
  return join(findProgram('chromium'), 'chromium');
}
